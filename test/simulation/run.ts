/**
 * Run: the command line of the simulator, `npm run sim -- [--seeds N] [--seed S] [--scenario
 * name] [--record]`.
 *
 * Always true: a failing seed prints itself and the command that repeats it; how often each fault
 * struck is told, and one that never did in many seeds is a failure; the last line is the summary;
 * the exit code is 0 when all passed, 1 when a seed or such a fault failed, 2 when the command is
 * wrong.
 * Called by people and CI; its result is test/results/sim.json.
 */
import { parseArgs } from 'node:util'
import { recordFlag, writeLaneResult } from '../support/lane-result.ts'
import type { Scenario, SeedsSummary } from './scenario.ts'
import { neverStruck, runSeeds } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

interface Wanted {
  readonly firstSeed: number
  readonly seeds: number
  readonly chosen: readonly Scenario[]
  readonly record: boolean
}

function wanted(): Wanted {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      scenario: { type: 'string' },
      [recordFlag.slice(2)]: { type: 'boolean' },
    },
  })
  const chosen = scenarios.filter(
    ({ name }) => values.scenario === undefined || values.scenario === name,
  )
  if (chosen.length === 0) {
    const names = scenarios.map(({ name }) => name).join(', ')
    throw new Error(`no scenario is named ${values.scenario}; there are: ${names}`)
  }
  // A seed alone is a replay: exactly that one.
  const seeds = requireCount('--seeds', values.seeds ?? (values.seed === undefined ? '100' : '1'))
  const firstSeed = requireCount('--seed', values.seed ?? '1')
  return { firstSeed, seeds, chosen, record: values['record'] === true }
}

function requireCount(flag: string, text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count
  throw new Error(`${flag} ${text}: give a whole number, as in ${flag} 42`)
}

function summaryLine(summary: SeedsSummary, elapsedMs: number): string {
  const { passed, failures, events, virtualMs, rerun } = summary
  const minutes = (virtualMs / 60_000).toFixed(1)
  const seconds = (elapsedMs / 1000).toFixed(1)
  const speedUp = Math.round(virtualMs / Math.max(1, elapsedMs))
  const rate = Math.round(events / Math.max(1, elapsedMs))
  return (
    `${passed} runs passed, ${failures.length} failed; ${minutes} virtual ` +
    `minutes in ${seconds} s (${speedUp}×); ${events} events, ${rate} k/s; ${rerun} run twice`
  )
}

function strikesLines({ strikes }: SeedsSummary): string[] {
  return [...strikes].map(([scenario, counts]) => {
    const told = [...counts].sort().map(([kind, times]) => `${kind} ${times}`)
    return `${scenario} was struck by ${told.join(', ') || 'nothing'}`
  })
}

function factsOf(summary: SeedsSummary, elapsedMs: number): object {
  const { passed, failures, events, virtualMs, rerun, strikes } = summary
  return {
    passed,
    failures: failures.map(({ scenario, seed, message }) => ({ scenario, seed, message })),
    virtualHours: Math.round(virtualMs / 36_000) / 100,
    seconds: Math.round(elapsedMs / 1000),
    events,
    rerun,
    strikes: Object.fromEntries([...strikes].map(([name, own]) => [name, Object.fromEntries(own)])),
  }
}

async function main(): Promise<number> {
  const { firstSeed, seeds, chosen, record } = wanted()
  const total = seeds * chosen.length
  const startMs = performance.now()
  const summary = await runSeeds({
    scenarios: chosen,
    firstSeed,
    seeds,
    onProgress: ({ passed, failures }) => {
      if (!process.stderr.isTTY) return
      process.stderr.write(`\r${passed + failures.length}/${total} runs, ${failures.length} failed`)
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  for (const failure of summary.failures) console.log(failure.message)
  const elapsedMs = performance.now() - startMs
  const missed = neverStruck(chosen, summary, seeds)
  for (const line of [...strikesLines(summary), ...missed]) console.log(line)
  console.log(summaryLine(summary, elapsedMs))
  if (record) writeLaneResult('sim', { firstSeed, seeds, ...factsOf(summary, elapsedMs) })
  return summary.failures.length + missed.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
