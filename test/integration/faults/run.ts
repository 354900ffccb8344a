/**
 * Run: `npm run faults`. Real faults against a real broker: processes that are killed and stopped,
 * disks that lose power, fail, are slow or full, clocks that jump.
 *
 *   npm run faults -- [--only LANE[,LANE]] [--rounds N] [--seed S] [--record]
 *
 * Always true: every lane says in one line what came of it; a lane that the machine does not allow
 * is a printed SKIP, and with CI=true a failure. Exit code 0 all held, 1 something did not,
 * 2 wrong words.
 */
import { parseArgs } from 'node:util'
import { recordFlag, writeLaneResult } from '../../support/lane-result.ts'
import type { Lane } from './lane.ts'
import { lanes } from './lanes.ts'
import { missing } from './needs.ts'

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

interface Wanted {
  readonly lanes: readonly Lane[]
  readonly rounds: number | null
  readonly seed: number
  readonly record: boolean
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number, not ${text}`)
  return Number(text)
}

/** @throws Error where the words are wrong */
function readWords(words: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      [recordFlag.slice(2)]: { type: 'boolean', default: false },
    },
  })
  const names = values.only?.split(',') ?? lanes.map(({ name }) => name)
  const known = lanes.map(({ name }) => name).join(', ')
  const chosen = names.map(name => {
    const lane = lanes.find(candidate => candidate.name === name)
    if (lane === undefined) throw new Error(`there is no lane ${name}; there are ${known}`)
    return lane
  })
  const rounds = values.rounds === undefined ? null : wholeNumber('rounds', values.rounds)
  return {
    lanes: chosen,
    rounds,
    seed: wholeNumber('seed', values.seed),
    record: values.record === true,
  }
}

type Outcome = { readonly lane: string; readonly seconds: number; readonly about: string } & (
  | { readonly result: 'held'; readonly facts: object }
  | { readonly result: 'failed'; readonly reason: string }
  | { readonly result: 'skipped'; readonly reason: string }
)

async function runLane(lane: Lane, wanted: Wanted): Promise<Outcome> {
  const { name, about } = lane
  const startedMs = performance.now()
  const seconds = (): number => Math.round((performance.now() - startedMs) / 100) / 10
  const base = { lane: name, about }
  const reason = await missing(lane.needs)
  if (reason !== null) return { ...base, seconds: seconds(), result: 'skipped', reason }
  try {
    const rounds = wanted.rounds ?? lane.rounds
    const options = { rounds, seed: wanted.seed, say: (line: string) => say(`  ${name} ${line}`) }
    const facts = await lane.run(options)
    return { ...base, seconds: seconds(), result: 'held', facts }
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ...base, seconds: seconds(), result: 'failed', reason: why }
  }
}

function told(outcome: Outcome): string {
  const { lane, seconds } = outcome
  if (outcome.result === 'skipped') return `SKIP ${lane}: ${outcome.reason}`
  if (outcome.result === 'failed') return `FAILED ${lane} after ${seconds} s: ${outcome.reason}`
  const facts = Object.entries(outcome.facts).map(([name, value]) => `${name} ${value}`)
  return `held ${lane} in ${seconds} s: ${facts.join(', ')}`
}

async function main(): Promise<number> {
  let wanted: Wanted
  try {
    wanted = readWords(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return 2
  }
  const outcomes: Outcome[] = []
  for (const lane of wanted.lanes) {
    say(`${lane.name}: ${lane.about}`)
    const outcome = await runLane(lane, wanted)
    outcomes.push(outcome)
    say(told(outcome))
  }
  const count = (result: Outcome['result']): number =>
    outcomes.filter(outcome => outcome.result === result).length
  const isSkipForbidden = process.env['CI'] === 'true'
  const bad = count('failed') + (isSkipForbidden ? count('skipped') : 0)
  if (wanted.record) writeLaneResult('faults', { seed: wanted.seed, outcomes })
  say(`${count('held')} held, ${count('failed')} failed, ${count('skipped')} skipped`)
  return bad === 0 ? 0 : 1
}

process.exitCode = await main()
