/**
 * Simulate: a story in a unit test, on a few seeds.
 *
 * Always true: each seed has a world of its own, and a failure names its seed.
 * Called by test files of any room; what is to run on many seeds is a scenario in
 * scenarios/index.ts.
 */
import type { Test } from 'tap'
import { runSeed } from './scenario.ts'
import type { SimWorld } from './sim-world.ts'

export interface SimulateOptions {
  /** Default 10. */
  readonly seeds?: number
  /** Default 1; set it to the seed that failed to look at that one. */
  readonly firstSeed?: number
  /** Virtual time that a run may take; default one hour. */
  readonly deadlineMs?: number
}

/** Runs `story` on each seed until the first one that fails. */
export async function simulate(
  t: Test,
  options: SimulateOptions,
  story: (world: SimWorld) => Promise<void>,
): Promise<void> {
  const { seeds = 10, firstSeed = 1, deadlineMs = 3_600_000 } = options
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const replay = () => `simulate with { firstSeed: ${seed}, seeds: 1 }`
    await runSeed({ name: t.name, deadlineMs, replay, run: story }, seed)
  }
  t.pass(`${seeds} seeds from ${firstSeed} on`)
}
