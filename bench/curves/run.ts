/**
 * Curves: how the figures of one broker change when one quantity grows.
 *
 *   node dist/bench/curves/run.js [--only partitions,…] [--quick] [--tiny] [--seconds 1]
 *     [--root DIR] [--out DIR] [--record]
 *
 * Always true: a point that fails is told and the curve goes on; the directories of a curve are
 * removed when it ends. `--record` writes bench/results/curves.json and one SVG per curve beside
 * it; `--out` writes the same elsewhere. Exit 0, 1 where a point failed, 2 for wrong words.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBrokerProcess } from '../demo/broker-process.ts'
import { machineNow, resultsDirectory, writeBenchResult } from '../support/bench-result.ts'
import type { CurvePlan, CurveSize, CurveTools } from './curve.ts'
import { curves } from './curves.ts'
import { plotCurve } from './plot.ts'
import { type MeasuredPoint, reportSeries, type SeriesReport, tableOf } from './report.ts'

interface Words {
  readonly chosen: readonly CurvePlan[]
  readonly size: CurveSize
  readonly seconds: number
  readonly root: string
  readonly out: string | undefined
  readonly record: boolean
}

interface PlayedCurve {
  readonly plan: CurvePlan
  readonly measured: readonly MeasuredPoint[]
  readonly reports: readonly SeriesReport[]
  readonly failures: readonly string[]
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** @throws Error with what is wrong about the words */
function readWords(): Words {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '1' },
      root: { type: 'string', default: tmpdir() },
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
  const { root, out, record } = values
  return { chosen, size, seconds, root, out, record }
}

/** Directories of one curve, below one of its own. */
function toolsIn(directory: string, seconds: number): CurveTools {
  return {
    newDirectory: () => mkdtemp(join(directory, 'data-')),
    startBroker: (dataDir, flags = []) =>
      startBrokerProcess({ dataDir, flags: ['--log-level', 'warn', ...flags] }),
    seconds,
    say,
  }
}

async function play(plan: CurvePlan, words: Words): Promise<PlayedCurve> {
  const directory = await mkdtemp(join(words.root, `sluice-curve-${plan.name}-`))
  const run = await plan.open(toolsIn(directory, words.seconds))
  const measured: MeasuredPoint[] = []
  const failures: string[] = []
  try {
    for (const x of plan.points[words.size]) {
      const startMs = performance.now()
      try {
        measured.push({ x, figures: await run.measure(x) })
        const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
        say(`${plan.name}  ${x.toLocaleString('en-US')}  ${seconds} s`)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        failures.push(`${plan.name} ${x}: ${why}`)
        say(`FAILED  ${failures.at(-1)}`)
      }
    }
  } finally {
    await run.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { plan, measured, failures, reports: plan.series.map(s => reportSeries(s, measured)) }
}

function show({ plan, measured, reports }: PlayedCurve): void {
  say(`\n${plan.title}. ${plan.conditions}`)
  for (const line of tableOf(plan, measured)) say(line)
  for (const { plan: series, sentence } of reports) say(`  ${series.label}: ${sentence}`)
  say('')
}

function factsOf({ plan, measured, reports, failures }: PlayedCurve): object {
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

async function main(words: Words): Promise<number> {
  const machine = machineNow()
  const startMs = performance.now()
  const played: PlayedCurve[] = []
  for (const plan of words.chosen) {
    const one = await play(plan, words)
    show(one)
    played.push(one)
  }
  const seconds = Math.round((performance.now() - startMs) / 1000)
  const { size, seconds: secondsPerFigure } = words
  const facts = { size, secondsPerFigure, seconds, curves: played.map(factsOf) }
  if (words.out !== undefined) {
    writePlots(words.out, played)
    writeFileSync(join(words.out, 'curves.json'), `${JSON.stringify(facts, null, 2)}\n`)
  }
  if (words.record) {
    writePlots(resultsDirectory, played)
    say(`written: ${writeBenchResult('curves', machine, facts)}`)
  }
  const failed = played.flatMap(({ failures }) => failures).length
  say(`${played.length} curves, ${failed} points failed, ${seconds} s`)
  return failed === 0 ? 0 : 1
}

try {
  const words = readWords()
  process.exitCode = await main(words).catch(error => {
    process.stderr.write(`FAILED  ${error instanceof Error ? error.stack : error}\n`)
    return 1
  })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
