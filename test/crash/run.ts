/**
 * Run: the command line of the crash lane.
 *
 *   npm run crash -- [--minutes 10] [--ops 4] [--workers 2] [--record]   every workload, every crash
 *   npm run crash -- --only commit/settled/arct                          one workload
 *   npm run crash -- --sweep [--stride 1] [--workers 2] [--record]       every damage of a directory
 *   npm run crash -- --replay commit/settled/arct@31.5                   one image, told in full
 *   npm run crash -- --replay clean/flip//data/catalogue@7               one damage
 *
 * Always true: a failure prints the command that repeats it; the last line is the verdict; the exit
 * code is 0 when all promises held, 1 when one did not, 2 when the command is wrong.
 * Called by people and CI.
 */
import { parseArgs } from 'node:util'
import { WorkerFailure } from './crew.ts'
import { Explorer } from './explore.ts'
import { runLane } from './lane.ts'
import { replay } from './replay.ts'
import { repeatCase } from './sweep.ts'
import { runSweep } from './sweep-lane.ts'
import { parsePlace, type Workload } from './workloads.ts'

const options = {
  minutes: { type: 'string', default: '10' },
  ops: { type: 'string', default: '4' },
  workers: { type: 'string', default: '2' },
  only: { type: 'string' },
  replay: { type: 'string' },
  sweep: { type: 'boolean', default: false },
  stride: { type: 'string', default: '1' },
  record: { type: 'boolean', default: false },
} as const

function requireNumber(flag: string, text: string): number {
  const number = Number(text)
  if (text !== '' && number > 0) return number
  throw new Error(`--${flag} ${text}: give a number above 0`)
}

async function exploreOne(workload: Workload): Promise<number> {
  const explorer = new Explorer()
  await explorer.explore(workload)
  for (const { place, reason } of explorer.failures) {
    console.log(`FAILED ${place}\n${reason}\nrepeat it: npm run crash -- --replay ${place}`)
  }
  console.log(JSON.stringify({ ...explorer.counts, distinct: explorer.examiner.images }))
  return explorer.failures.length === 0 ? 0 : 1
}

const isDamage = (name: string): boolean => /^(un)?clean\//.test(name)

async function replayDamage(name: string): Promise<number> {
  try {
    const { outcome, said } = await repeatCase(name)
    for (const line of said) console.log(line)
    console.log(outcome)
    return 0
  } catch (error) {
    console.log(`FAILED: ${(error as Error).stack}`)
    return 1
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options })
  const { replay: place } = values
  if (place !== undefined) return isDamage(place) ? replayDamage(place) : replay(parsePlace(place))
  if (values.only !== undefined) return exploreOne(parsePlace(values.only).workload)
  const workers = Math.round(requireNumber('workers', values.workers))
  if (values.sweep) {
    const stride = Math.round(requireNumber('stride', values.stride))
    return runSweep({ stride, workers, record: values.record })
  }
  return runLane({
    minutes: requireNumber('minutes', values.minutes),
    operations: Math.round(requireNumber('ops', values.ops)),
    workers,
    record: values.record,
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof WorkerFailure ? 1 : 2
}
