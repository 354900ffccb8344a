/**
 * Hostile run: one attack in an arena, with the victim at work, watched from outside.
 *
 *   victim calm │ attack: victim measured, RSS sampled, held bytes in the middle │ handles back?
 *
 * Always true: what is judged is in the report, with its bound; a problem is a sentence.
 * Used by hostile.test.ts (small) and by the memory lane (full).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { megabytes, RssSeries } from '../memory/series.ts'
import { MiB, untilBack } from '../memory/usage.ts'
import type { Arena } from './arena.ts'
import { type AttackSize, garbageMiB, type HostileCase, heldSlackMiB } from './hostile-case.ts'
import { type Situation, untold } from './told.ts'
import type { Latency } from './victim.ts'

export interface HostileReport {
  readonly attack: string
  readonly verdicts: Readonly<Record<string, number>>
  readonly calm: Latency
  readonly attacked: Latency
  /** What was held in the middle of the attack, after a collection, beyond what was held before. */
  readonly heldBytes: number
  readonly heldBoundBytes: number
  readonly peakBytes: number
  readonly boundBytes: number
  readonly rss: RssSeries
  /** Handles that did not come back once the attacker was gone. */
  readonly left: string
  readonly problems: readonly string[]
}

/** Before there were turns, a storm of metadata made others wait for more than 10 s. */
const longestMs = 6000
/** The calm logger has one for ten seconds for each event of which it was told too often. */
const logTimers = 8
/**
 * A slot of the broker's deadlines keeps its timer until its time, whatever was cancelled: one for
 * each second in which somebody began to wait, and the seconds of preparing and clearing.
 */
const slotTimers = (holdMs: number): number => Math.ceil(holdMs / 1000) + 4

/** In the middle of the attack, or at its end. */
async function heldWhile(arena: Arena, attack: Promise<unknown>, holdMs: number): Promise<number> {
  await Promise.race([attack, sleep(holdMs * 0.8)])
  return (await arena.broker.usage()).heldBytes
}

function problemsOf(
  one: HostileCase,
  report: Omit<HostileReport, 'problems'>,
  situation: Situation,
): string[] {
  const { verdicts, attacked, peakBytes, boundBytes, heldBytes, heldBoundBytes, left } = report
  const problems = untold(one.told, verdicts, situation)
  if (attacked.maxMs > longestMs) {
    problems.push(`the victim waited ${attacked.maxMs.toFixed(0)} ms, allowed ${longestMs}`)
  }
  const bounds = [
    ['RSS rose to', peakBytes, boundBytes],
    ['the broker held', heldBytes, heldBoundBytes],
  ] as const
  for (const [what, bytes, bound] of bounds) {
    if (bytes > bound) problems.push(`${what} ${megabytes(bytes)} MiB, allowed ${megabytes(bound)}`)
  }
  if (left !== '') problems.push(`left open: ${left}`)
  return problems
}

/** Others hardly notice: what the victim waits more than when it is calm, and at worst. */
function slowness(
  { victim: { addedMs = 50, p99Ms = 500 } = {} }: HostileCase,
  { calm, attacked }: Pick<HostileReport, 'calm' | 'attacked'>,
): string[] {
  const bounds = [
    ['p50', attacked.medianMs, calm.medianMs + addedMs],
    ['p99', attacked.p99Ms, p99Ms],
  ] as const
  return bounds
    .filter(([, took, allowed]) => took > allowed)
    .map(([name, ...both]) => {
      const [took, allowed] = both.map(one => one.toFixed(0))
      return `the victim's ${name} was ${took} ms, allowed ${allowed}`
    })
}

export interface HostileSizes {
  readonly size: AttackSize
  /** What the limits in force add up to for this attack. */
  readonly limitMiB: number
  /** Whether it lasts long enough for the victim's median and p99 to be judged too. */
  readonly isLong?: boolean
}

export async function runHostile(
  arena: Arena,
  one: HostileCase,
  { size, limitMiB, isLong = false }: HostileSizes,
): Promise<HostileReport> {
  const { broker, victim } = arena
  const before = await broker.usage()
  const timers = before.timers + logTimers + slotTimers(size.holdMs)
  const files = one.leavesFiles ? Number.POSITIVE_INFINITY : before.files
  const allowed = { ...before, timers, files }
  const target = await arena.prepare(one.topic, size)
  const calm = await victim.measure(Promise.resolve(), 200)
  const idle = await broker.usage()
  const rss = new RssSeries(broker.pid, 20)
  const attack = arena.attack(one.attack, target)
  const held = heldWhile(arena, attack, size.holdMs)
  const attacked = await victim.measure(attack, 0)
  const verdicts = await attack
  rss.look()
  rss.stop()
  const heldBytes = (await held) - idle.heldBytes
  await arena.clear(target.topic)
  const report = {
    attack: one.attack,
    verdicts,
    calm,
    attacked,
    heldBytes,
    heldBoundBytes: (limitMiB + heldSlackMiB) * MiB,
    peakBytes: rss.peak,
    boundBytes: idle.rssBytes + (limitMiB + (one.garbageMiB ?? garbageMiB)) * MiB,
    rss,
    left: await untilBack(allowed, () => broker.usage(), isLong ? 20_000 : 10_000),
  }
  const problems = problemsOf(one, report, { count: size.count, config: arena.config })
  return { ...report, problems: [...problems, ...(isLong ? slowness(one, report) : [])] }
}

const ms = ({ medianMs, p99Ms, maxMs }: Latency): string =>
  `${medianMs.toFixed(1)}/${p99Ms.toFixed(0)}/${maxMs.toFixed(0)}`

/** Lines for people. */
export function renderHostile(report: HostileReport): string {
  const { attack, verdicts, calm, attacked, rss, boundBytes, problems } = report
  const said = Object.entries(verdicts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} × ${count}`)
  const held = [report.heldBytes, report.heldBoundBytes].map(megabytes).join(' of ')
  return [
    `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${attack}: ${said.join(', ') || 'nothing said'}`,
    `       victim p50/p99/max ${ms(calm)} ms calm, ${ms(attacked)} ms attacked`,
    `       RSS ${rss.render()}, bound ${megabytes(boundBytes)}; held ${held} MiB`,
    ...problems.map(problem => `       ✖ ${problem}`),
  ].join('\n')
}
