/**
 * Sweep lane: the corruption sweep over all damages, on as many processes as there are processors.
 *
 * Always true: a process from which nothing is heard for two minutes hangs in a case, which is a
 * failure; every failure comes with the command that repeats it.
 * Called by run.ts.
 */
import { writeLaneResult } from '../support/lane-result.ts'
import { runCrew } from './crew.ts'
import { damageKinds } from './damage.ts'
import { type Row, rowsOf, type SweepShare, type SweepState } from './sweep.ts'
import { outcomes } from './sweep-check.ts'
import { writeDirectories } from './sweep-data.ts'

export interface SweepOptions {
  /** 1 = every bit is flipped, every cut is made. */
  readonly stride: number
  readonly workers: number
  readonly record: boolean
}

/** Answers the exit code. */
export async function runSweep({ stride, workers, record }: SweepOptions): Promise<number> {
  const startMs = performance.now()
  const states: SweepState[] = []
  const onMessage = (worker: number, message: unknown): void => {
    states[worker] = message as SweepState
    const cases = states.reduce((sum, one) => sum + one.cases, 0)
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${cases} cases`)
  }
  const share = (_: unknown, worker: number): SweepShare => ({ stride, worker, workers })
  const jobs = Array.from({ length: workers }, share)
  const where = (worker: number): string => `the case after ${states[worker]?.last ?? 'none'}`
  await runCrew({ script: 'sweep-worker.js', jobs, onMessage, where })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const facts = { ...(await factsOf(states)), stride, seconds: secondsSince(startMs) }
  print(facts)
  if (record) writeLaneResult('corruption', facts)
  return facts.failures.length === 0 ? 0 : 1
}

const secondsSince = (startMs: number): number => Math.round((performance.now() - startMs) / 1000)

async function factsOf(states: readonly SweepState[]) {
  const table = new Map<string, number>()
  for (const state of states) {
    for (const [name, count] of state.table) table.set(name, (table.get(name) ?? 0) + count)
  }
  const directories = await writeDirectories()
  const sizeOf = (stop: 'clean' | 'unclean'): object => {
    const { files } = directories[stop].image
    const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0)
    return { files: files.size, bytes }
  }
  return {
    directories: { clean: sizeOf('clean'), unclean: sizeOf('unclean') },
    cases: states.reduce((sum, state) => sum + state.cases, 0),
    unchanged: states.reduce((sum, state) => sum + state.unchanged, 0),
    outcomes: Object.fromEntries(outcomes.map(one => [one, countOf(table, one)])),
    rows: rowsOf(table),
    failures: states.flatMap(state => state.failures),
  }
}

function countOf(table: ReadonlyMap<string, number>, outcome: string): number {
  const matching = [...table].filter(([name]) => name.endsWith(` ${outcome}`))
  return matching.reduce((sum, [, count]) => sum + count, 0)
}

type Facts = Awaited<ReturnType<typeof factsOf>> & { readonly seconds: number }

function print({ rows, failures, cases, unchanged, seconds, directories }: Facts): void {
  console.log(`the directories: ${JSON.stringify(directories)}`)
  console.log(`${''.padEnd(44)}${outcomes.map(one => one.padStart(10)).join('')}`)
  for (const stop of ['clean', 'unclean']) {
    for (const kind of damageKinds) {
      const files = new Set(rows.filter(isOf(stop, kind)).map(({ file }) => file))
      for (const file of files) {
        const counts = outcomes.map(outcome => {
          const row = rows
            .filter(isOf(stop, kind))
            .find(r => r.file === file && r.outcome === outcome)
          return String(row?.count ?? '').padStart(10)
        })
        console.log(`${stop.padEnd(8)} ${kind.padEnd(7)} ${file.padEnd(28)}${counts.join('')}`)
      }
    }
  }
  console.log(`${cases} damages in ${seconds} s, ${unchanged} more that change nothing`)
  for (const { name, reason } of failures) {
    console.log(`\nFAILED ${name}\n${reason}\nrepeat it: npm run crash -- --replay ${name}`)
  }
  const verdict = 'no wrong record, no silent loss, no hang, no crash loop'
  console.log(failures.length === 0 ? verdict : `${failures.length} damages failed`)
}

const isOf =
  (stop: string, kind: string) =>
  (row: Row): boolean =>
    row.stop === stop && row.kind === kind
