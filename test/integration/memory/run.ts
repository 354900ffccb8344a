/**
 * Memory lane: `npm run memory -- [--only NAME] [--record] [--scale S]`: what must stay bounded and
 * flat, in full size, with RSS over time printed.
 *
 *   NAME: consumer · stalled · partitions · connections · hostile · hostile-ATTACK
 *
 * Always true: exit 0 when every bound held, 1 when one did not, 2 for words it does not know;
 * processes and files of a lane are gone before the next one starts.
 */
import { parseArgs } from 'node:util'
import { recordFlag, writeLaneResult } from '../../support/lane-result.ts'
import { Arena } from '../hostile/arena.ts'
import type { HostileCase } from '../hostile/hostile-case.ts'
import { hostileCases } from '../hostile/hostile-cases.ts'
import { renderHostile, runHostile } from '../hostile/hostile-run.ts'
import type { LaneReport } from './lane.ts'
import { connectionsLane, consumerLane, partitionsLane, stalledLane } from './lanes.ts'
import { MiB } from './usage.ts'

type Lane = (scale: number) => Promise<LaneReport>

const scaled = (full: number, scale: number): number => Math.max(1, Math.round(full * scale))

async function hostileLane(one: HostileCase, scale: number): Promise<LaneReport> {
  await using arena = await Arena.open(one.config ?? {})
  const { count, holdMs } = one.full
  const size = { count: scaled(count, scale), holdMs: scaled(holdMs, scale) }
  const report = await runHostile(arena, one, {
    size,
    limitMiB: one.limitMiB,
    isLong: scale >= 1,
  })
  const { verdicts, calm, attacked, problems } = report
  const [peakMiB, boundMiB, heldMiB] = [report.peakBytes, report.boundBytes, report.heldBytes].map(
    bytes => Math.round(bytes / MiB),
  )
  const facts = { ...size, verdicts, calm, attacked, peakMiB, boundMiB, heldMiB }
  return { lane: `hostile-${one.attack}`, lines: [renderHostile(report)], facts, problems }
}

const lanes: Readonly<Record<string, Lane>> = {
  consumer: scale => consumerLane({ megabytes: scaled(5 * 1024, scale) }),
  stalled: scale =>
    stalledLane({ stallMs: scaled(20_000, scale), deliveryTimeoutMs: scaled(5000, scale) }),
  partitions: scale =>
    partitionsLane({ count: scaled(1000, scale), holdMs: scaled(30_000, scale) }),
  connections: scale =>
    connectionsLane({ count: scaled(1000, scale), holdMs: scaled(30_000, scale) }),
  ...Object.fromEntries(
    hostileCases.map(one => [`hostile-${one.attack}`, (scale: number) => hostileLane(one, scale)]),
  ),
}

/** A lane that breaks off is a problem of its own, and the others go on. */
async function runLane(name: string, lane: Lane, scale: number): Promise<LaneReport> {
  try {
    return await lane(scale)
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { lane: name, lines: [], facts: {}, problems: [problem] }
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      scale: { type: 'string', default: '1' },
      [recordFlag.slice(2)]: { type: 'boolean', default: false },
    },
  })
  const { only } = values
  const matches = (name: string): boolean =>
    only === undefined || only.split(',').some(word => name === word || name.startsWith(`${word}-`))
  const chosen = Object.entries(lanes).filter(([name]) => matches(name))
  const scale = Number(values.scale)
  if (chosen.length === 0 || !(scale > 0)) {
    process.stderr.write(`lanes: ${Object.keys(lanes).join(' ')}\n`)
    return 2
  }
  const reports: (LaneReport & { seconds: number })[] = []
  for (const [name, lane] of chosen) {
    const startedMs = performance.now()
    const report = await runLane(name, lane, scale)
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10
    reports.push({ ...report, seconds })
    const verdict = report.problems.length === 0 ? 'ok    ' : 'FAILED'
    const lines = [...report.lines, ...report.problems.map(problem => `✖ ${problem}`)]
    process.stdout.write(`${verdict} ${name} (${seconds} s)\n  ${lines.join('\n  ')}\n`)
  }
  const failed = reports.filter(({ problems }) => problems.length > 0)
  process.stdout.write(`${reports.length} lanes, ${failed.length} beyond their bounds\n`)
  if (process.argv.includes(recordFlag)) {
    writeLaneResult('memory', { scale, lanes: reports.map(({ lines: _, ...facts }) => facts) })
  }
  return failed.length === 0 ? 0 : 1
}

process.exitCode = await main().catch(error => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  return 2
})
