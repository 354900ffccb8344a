/**
 * Scenario: a story that is run on many seeds, and what a run of it comes to.
 *
 * Always true: a scenario takes every decision from `world.random`, so its seed is all there is to
 * a run; a failure names the seed and the command that repeats it.
 * Called by run.ts and by tests, through `runSeeds`.
 */
import { SimWorld } from './sim-world.ts'
import { addTo, type Strikes } from './strikes.ts'

export interface Scenario {
  readonly name: string
  /** What it may inflict: each must strike now and then, or the scenario proves less than it says. */
  readonly faults?: readonly string[]
  /** Virtual time that a run may take; default one hour. */
  readonly deadlineMs?: number
  /** How to repeat a seed; default: the command of `npm run sim`. */
  replay?(seed: number): string
  /** Rejects where anything is not as it must be. */
  run(world: SimWorld): Promise<void>
}

export interface SeedRun {
  readonly digest: string
  readonly events: number
  readonly virtualMs: number
  readonly strikes: Strikes
}

export interface SeedsOptions {
  readonly scenarios: readonly Scenario[]
  readonly firstSeed: number
  readonly seeds: number
  /** Failures after which no further seed is begun; default 5. */
  readonly maxFailures?: number
  onProgress?(summary: SeedsSummary): void
}

export interface SeedsSummary {
  passed: number
  failures: SeedFailure[]
  events: number
  virtualMs: number
  /** Runs that were done twice to compare their digests. */
  rerun: number
  /** By scenario, faults that took effect in runs that passed. */
  strikes: Map<string, Strikes>
}

/** From so many seeds on, chance is no excuse for a fault that never struck. */
const enoughSeeds = 1000

/** Every how many seeds one is run twice: 2 %. */
const rerunEvery = 50

export class SeedFailure extends Error {
  override readonly name = 'SeedFailure'
  readonly scenario: string
  readonly seed: number

  constructor(scenario: Scenario, seed: number, atMs: number, cause: unknown) {
    const { name } = scenario
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    const replay = scenario.replay?.(seed) ?? `npm run sim -- --scenario ${name} --seed ${seed}`
    const when = `at ${atMs.toFixed(3)} ms`
    super(`${name}, seed ${seed}, ${when}: ${why}\n  replay: ${replay}`, { cause })
    this.scenario = name
    this.seed = seed
  }
}

type OnEvent = (timeMs: number, label: string) => void

/** One run. @throws SeedFailure */
export async function runSeed(
  scenario: Scenario,
  seed: number,
  onEvent?: OnEvent,
): Promise<SeedRun> {
  const world = new SimWorld({ seed, ...(onEvent !== undefined && { onEvent }) })
  const { deadlineMs } = scenario
  try {
    await world.run(() => scenario.run(world), deadlineMs === undefined ? {} : { deadlineMs })
  } catch (error) {
    throw new SeedFailure(scenario, seed, world.scheduler.nowMs, error)
  }
  const { steps: events, nowMs: virtualMs } = world.scheduler
  return { digest: world.digest, events, virtualMs, strikes: world.strikes }
}

/** Runs each scenario on each seed; failures are in the summary. */
export async function runSeeds(options: SeedsOptions): Promise<SeedsSummary> {
  const { scenarios, firstSeed, seeds, maxFailures = 5 } = options
  const summary = emptySummary()
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    for (const scenario of scenarios) {
      if (summary.failures.length >= maxFailures) return summary
      await runInto(summary, scenario, seed)
      options.onProgress?.(summary)
    }
  }
  return summary
}

function emptySummary(): SeedsSummary {
  return { passed: 0, failures: [], events: 0, virtualMs: 0, rerun: 0, strikes: new Map() }
}

async function runInto(summary: SeedsSummary, scenario: Scenario, seed: number): Promise<void> {
  try {
    const run = await runSeed(scenario, seed)
    summary.events += run.events
    summary.virtualMs += run.virtualMs
    const strikes = summary.strikes.get(scenario.name) ?? new Map()
    summary.strikes.set(scenario.name, strikes)
    addTo(strikes, run.strikes)
    if (seed % rerunEvery === 0) {
      summary.rerun++
      await requireSameDigest(scenario, seed, run)
    }
    summary.passed++
  } catch (error) {
    if (!(error instanceof SeedFailure)) throw error
    summary.failures.push(error)
  }
}

/** The same seed once more. @throws SeedFailure naming the first event that differs */
export async function requireSameDigest(
  scenario: Scenario,
  seed: number,
  first: SeedRun,
): Promise<void> {
  const second = await runSeed(scenario, seed)
  if (second.digest === first.digest) return
  const [one, other] = [await traceOf(scenario, seed), await traceOf(scenario, seed)]
  const at = one.findIndex((line, index) => line !== other[index])
  const where = at < 0 ? 'the traces agree' : `event ${at}: ${one[at]} against ${other[at]}`
  const cause = new Error(`two runs differ, digests ${first.digest} and ${second.digest}; ${where}`)
  throw new SeedFailure(scenario, seed, first.virtualMs, cause)
}

async function traceOf(scenario: Scenario, seed: number): Promise<string[]> {
  const lines: string[] = []
  await runSeed(scenario, seed, (timeMs, label) => lines.push(`${timeMs} ${label}`))
  return lines
}

/** A sentence for each fault of a scenario that struck in none of so many seeds. */
export function neverStruck(
  scenarios: readonly Scenario[],
  { strikes }: SeedsSummary,
  seeds: number,
): string[] {
  if (seeds < enoughSeeds) return []
  return scenarios.flatMap(({ name, faults = [] }) =>
    faults
      .filter(fault => !strikes.get(name)?.has(fault))
      .map(fault => `${name}: the fault ${fault} struck in none of ${seeds} seeds`),
  )
}
