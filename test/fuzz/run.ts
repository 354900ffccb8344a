/**
 * The fuzz lane: `npm run fuzz -- [--executions 20M] [--seconds N] [--target a,b] [--seed S]`.
 *
 *   corpus, then executions of all targets by their weights, two processes → table of how far
 *   inputs came, executions per second, findings
 *
 * Always true: exit 0 = nothing found and everything run, 1 = something found (each with the
 * words that run it again) or not run, 2 = the lane itself failed; the tree is left as it was
 * without `--keep` and `--record`.
 */
import { writeLaneResult } from '../support/lane-result.ts'
import { type LaneOptions, laneOptions } from './arguments.ts'
import { corpusFiles, keepInCorpus } from './corpus.ts'
import { Engine, type Finding } from './engine.ts'
import { Lane, type TargetTotal } from './lane.ts'

const progressEveryMs = 2000
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const grouped = (n: number): string => Math.round(n).toLocaleString('en-US')
const rate = ({ executions, cpuMs }: TargetTotal): number => executions / (cpuMs / 1000)

function tell(finding: Finding, options: Pick<LaneOptions, 'keep'>): void {
  const { target, seed, index, what, detail, inputBase64 } = finding
  say(`\nFOUND ${target}, execution ${index}: ${what}`)
  say(detail.split('\n').slice(0, 8).join('\n'))
  say(`  input: ${inputBase64.slice(0, 400)}${inputBase64.length > 400 ? '…' : ''}`)
  if (index >= 0) say(`  again: npm run fuzz -- --seed ${seed} --replay ${target}:${index}`)
  if (options.keep && index >= 0) say(`  kept: ${keepInCorpus(finding)}`)
}

function showTotals(totals: readonly TargetTotal[]): void {
  for (const total of totals) {
    const { target, executions, slowestMs, stages } = total
    if (executions === 0) continue
    const speed = `${grouped(rate(total))}/s of a core, slowest ${slowestMs.toFixed(0)} ms`
    say(`\n${target.name}: ${grouped(executions)} executions, ${speed}`)
    for (const [stage, count] of Object.entries(stages).sort((a, b) => b[1] - a[1])) {
      const percent = ((100 * count) / executions).toFixed(count * 1000 < executions ? 4 : 1)
      say(`  ${percent.padStart(8)} %  ${stage}`)
    }
  }
}

async function replayCorpus(options: LaneOptions): Promise<Finding[]> {
  const findings: Finding[] = []
  let files = 0
  for (const target of options.targets) {
    const own = corpusFiles(target.name)
    files += own.length
    const engine = new Engine(target, { keepStacks: true })
    const { findings: found } = await engine.replay(own.map(({ input }) => input))
    for (const finding of found) {
      const name = own[-1 - finding.index]?.name ?? ''
      findings.push({ ...finding, what: `${name}: ${finding.what}` })
    }
  }
  say(`corpus: ${files} inputs replayed, ${findings.length} findings`)
  for (const finding of findings) tell(finding, options)
  return findings
}

async function replayOne(
  { target, index }: { target: LaneOptions['targets'][number]; index: number },
  seed: number,
) {
  const { executionsPerState } = target
  // What came before made the state that the execution met.
  const from = target.isStateful ? index - (index % executionsPerState) : index
  const { findings } = await new Engine(target, { keepStacks: true }).run({
    seed,
    from,
    to: index + 1,
  })
  for (const finding of findings) tell(finding, { keep: false })
  say(`${target.name}:${index}: ${findings.length === 0 ? 'nothing found' : 'found again'}`)
  return findings
}

async function runLane(options: LaneOptions, findings: Finding[]): Promise<Lane> {
  let saidMs = performance.now()
  const startMs = saidMs
  const lane = new Lane({
    ...options,
    onProgress(totals) {
      if (performance.now() - saidMs < progressEveryMs) return
      saidMs = performance.now()
      const done = totals.reduce((sum, { executions }) => sum + executions, 0)
      const each = totals.map(one => `${one.target.name} ${grouped(one.executions)}`).join(' · ')
      const seconds = (saidMs - startMs) / 1000
      say(`${seconds.toFixed(0)} s: ${grouped(done)} (${grouped(done / seconds)}/s) ${each}`)
    },
    onFinding(finding) {
      findings.push(finding)
      tell(finding, options)
    },
  })
  await lane.run()
  return lane
}

function facts(totals: readonly TargetTotal[], findings: readonly Finding[], seconds: number) {
  return {
    executions: totals.reduce((sum, { executions }) => sum + executions, 0),
    seconds: Math.round(seconds),
    findings: findings.map(({ target, seed, index, what }) => ({ target, seed, index, what })),
    targets: totals.map(total => ({
      name: total.target.name,
      executions: total.executions,
      perCoreSecond: Math.round(rate(total)),
      slowestMs: Math.round(total.slowestMs),
      stages: total.stages,
    })),
  }
}

async function main(): Promise<number> {
  const options = laneOptions(process.argv.slice(2))
  const { replay } = options
  if (replay !== null) return (await replayOne(replay, options.seed)).length === 0 ? 0 : 1
  const findings = await replayCorpus(options)
  if (options.corpusOnly) return findings.length === 0 ? 0 : 1
  const startMs = performance.now()
  const lane = await runLane(options, findings)
  const { totals, missing } = lane
  const seconds = (performance.now() - startMs) / 1000
  showTotals(totals)
  const result = { ...facts(totals, findings, seconds), neverRun: missing }
  const speed = `${grouped(result.executions / seconds)}/s`
  say(
    `\n${grouped(result.executions)} executions in ${result.seconds} s (${speed}), seed ${options.seed}`,
  )
  say(findings.length === 0 ? 'nothing found' : `${findings.length} findings`)
  if (missing > 0) say(`${grouped(missing)} executions were handed out and never run`)
  if (options.record) writeLaneResult('fuzz', { seed: options.seed, ...result })
  return findings.length === 0 && missing === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.exitCode = 2
}
