/**
 * Seeds: runs one scenario of the simulator on seed after seed until one fails, as a program of its
 * own inside a workspace: `node dist/test/planted/seeds.js <scenario> <first seed> <seeds>`.
 *
 * Always true: one line of JSON per seed that passed, one for the failure.
 * Started by seed-hunt.ts.
 */
import { runSeeds } from '../simulation/scenario.ts'
import { scenarios } from '../simulation/scenarios/index.ts'

/** A line that seeds.ts prints. */
export interface SeedLine {
  readonly passed: number
  readonly failure?: { readonly seed: number; readonly message: string }
}

function print(line: SeedLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const [name = '', firstSeed = '1', seeds = '100'] = process.argv.slice(2)
const chosen = scenarios.filter(scenario => scenario.name === name)
if (chosen.length === 0) throw new Error(`no scenario is named ${name}`)
const summary = await runSeeds({
  scenarios: chosen,
  firstSeed: Number(firstSeed),
  seeds: Number(seeds),
  maxFailures: 1,
  onProgress: ({ passed }) => print({ passed }),
})
const [failure] = summary.failures
if (failure !== undefined) {
  const { seed, message } = failure
  print({ passed: summary.passed, failure: { seed, message: message.split('\n')[0] ?? '' } })
}
