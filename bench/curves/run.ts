/**
 * Curves: how the figures of one broker change when one quantity grows.
 *
 *   node dist/bench/curves/run.js [--only partitions,…] [--quick] [--tiny] [--seconds 1]
 *     [--root DIR] [--out DIR] [--record]
 *
 * Always true: a point that fails is told and the curve goes on; the directories of a curve are
 * removed when it ends, or when Ctrl-C or a closed pipe ends it (support/lane.ts). `--record`
 * writes one entry per curve played into bench/results/curves.json, and its SVG beside it; `--out`
 * writes the same elsewhere; curves of other names there stay as they are. A quick or tiny run is
 * not recorded. Exit 0, 1 where a point failed, 2 for wrong words.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBrokerProcess } from '../demo/broker-process.ts'
import { machineNow, resultsDirectory, writeBenchResult } from '../support/bench-result.ts'
import { type DiskFacts, dataParent, diskFacts, requireDisk, showDisk } from '../support/disk.ts'
import { type Lane, runLane } from '../support/lane.ts'
import type { CurvePlan, CurveSize, CurveTools } from './curve.ts'
import { curves } from './curves.ts'
import { plotCurve } from './plot.ts'
import { type MeasuredPoint, reportSeries, type SeriesReport, tableOf } from './report.ts'

interface Words {
  readonly chosen: readonly CurvePlan[]
  readonly size: CurveSize
  readonly seconds: number
  readonly root: string
  /** Where results are written; none = nowhere. */
  readonly outs: readonly string[]
}

interface PlayedCurve {
  readonly plan: CurvePlan
  readonly measured: readonly MeasuredPoint[]
  readonly reports: readonly SeriesReport[]
  readonly failures: readonly string[]
}

/** @throws Error with what is wrong about the words */
function readWords(): Words {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '1' },
      root: { type: 'string' },
      out: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',') ?? curves.map(({ name }) => name)
  const chosen = names.map(name => {
    const plan = curves.find(one => one.name === name)
    if (plan !== undefined) return plan
    throw new Error(`--only: there is no curve "${name}": ${curves.map(c => c.name).join(' ')}`)
  })
  const seconds = Number(values.seconds)
  if (!(seconds >= 0.02 && seconds <= 600)) throw new Error('--seconds is 0.02 to 600')
  const size = values.tiny ? 'tiny' : values.quick ? 'quick' : 'full'
  const { out, record } = values
  const root = dataParent(values.root)
  if (record && size !== 'full')
    throw new Error('--record is for full curves: no --quick, no --tiny')
  if (record) requireDisk(root)
  const outs = [...(out === undefined ? [] : [out]), ...(record ? [resultsDirectory] : [])]
  return { chosen, size, seconds, root, outs }
}

/** Directories of one curve, below one of its own. */
function toolsIn(directory: string, seconds: number, { signal }: Lane): CurveTools {
  return {
    newDirectory: () => mkdtemp(join(directory, 'data-')),
    startBroker: (dataDir, flags = []) =>
      startBrokerProcess({ dataDir, flags: ['--log-level', 'warn', ...flags], signal }),
    seconds,
    signal,
  }
}

async function play(plan: CurvePlan, words: Words, lane: Lane): Promise<PlayedCurve> {
  const directory = lane.directory(words.root, `sluice-curve-${plan.name}-`)
  const run = await plan.open(toolsIn(directory, words.seconds, lane))
  const measured: MeasuredPoint[] = []
  const failures: string[] = []
  try {
    for (const x of plan.points[words.size]) {
      const startMs = performance.now()
      try {
        measured.push({ x, figures: await run.measure(x) })
        const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
        lane.say(`${plan.name}  ${x.toLocaleString('en-US')}  ${seconds} s`)
      } catch (error) {
        lane.signal.throwIfAborted()
        const why = error instanceof Error ? error.message : String(error)
        failures.push(`${plan.name} ${x}: ${why}`)
        lane.say(`FAILED  ${failures.at(-1)}`)
      }
    }
  } finally {
    await run.close()
    await lane.remove(directory)
  }
  return { plan, measured, failures, reports: plan.series.map(s => reportSeries(s, measured)) }
}

function show({ plan, measured, reports }: PlayedCurve, { say }: Lane): void {
  say(`\n${plan.title}. ${plan.conditions}`)
  for (const line of tableOf(plan, measured)) say(line)
  for (const { plan: series, sentence } of reports) say(`  ${series.label}: ${sentence}`)
  say('')
}

function entryOf({ plan, measured, reports, failures }: PlayedCurve) {
  const { name, title, x, conditions } = plan
  const series = reports.map(({ plan: { key, label, unit }, bend, sentence }) => ({
    ...{ key, label, unit, bend, sentence },
  }))
  return { name, title, x, conditions, series, points: measured, failures }
}

function writePlots(directory: string, played: readonly PlayedCurve[]): void {
  mkdirSync(directory, { recursive: true })
  for (const { plan, reports } of played) {
    const { title, conditions, x: xLabel } = plan
    const svg = plotCurve({ title, conditions, xLabel, series: reports })
    writeFileSync(join(directory, `curve-${plan.name}.svg`), svg)
  }
}

function write(
  words: Words,
  played: readonly PlayedCurve[],
  conditions: { readonly machine: object; readonly disk: DiskFacts },
  { say }: Lane,
): void {
  const { size, seconds: secondsPerFigure } = words
  const all = { ...conditions, size, secondsPerFigure }
  for (const out of words.outs) {
    writePlots(out, played)
    say(`written: ${writeBenchResult(out, 'curves', played.map(entryOf), all)}`)
  }
}

async function main(words: Words, lane: Lane): Promise<number> {
  const machine = machineNow()
  const disk = diskFacts(words.root)
  lane.say(showDisk(disk))
  const startMs = performance.now()
  const played: PlayedCurve[] = []
  for (const plan of words.chosen) {
    const one = await play(plan, words, lane)
    show(one, lane)
    played.push(one)
  }
  const seconds = Math.round((performance.now() - startMs) / 1000)
  write(words, played, { machine, disk }, lane)
  const failed = played.flatMap(({ failures }) => failures).length
  lane.say(`${played.length} curves, ${failed} points failed, ${seconds} s`)
  return failed === 0 ? 0 : 1
}

await runLane(readWords, main)
