/**
 * Hostile run: one attack on one broker, with a victim at work, watched from outside.
 *
 *   broker · victim calm │ attack, victim measured, RSS sampled │ victim calm again · handles back?
 *
 * Always true: broker, attacker and victim are three processes; everything is gone afterwards.
 * Used by hostile.test.ts (small) and by the memory lane (full).
 */
import { connect } from '../../../client/index.ts'
import { MeasuredBroker } from '../memory/broker-child.ts'
import { Child } from '../memory/child.ts'
import { RssSeries } from '../memory/series.ts'
import { MiB, untilBack } from '../memory/usage.ts'
import type { AttackTarget } from './attack.ts'
import { type AttackSize, type HostileCase, slackMiB } from './hostile-cases.ts'
import { type Latency, Victim, victimTopic } from './victim.ts'

export interface HostileReport {
  readonly attack: string
  readonly verdicts: Readonly<Record<string, number>>
  readonly calm: Latency
  readonly attacked: Latency
  readonly after: Latency
  readonly idleBytes: number
  readonly peakBytes: number
  readonly boundBytes: number
  readonly rss: RssSeries
  /** Handles that did not come back once the attacker was gone. */
  readonly left: string
  readonly problems: readonly string[]
}

/** Before there were turns, a storm of metadata made others wait for more than 10 s. */
const usualLongestMs = 6000

async function fill(url: string, topic: NonNullable<HostileCase['topic']>): Promise<string> {
  const client = await connect({ servers: url })
  try {
    const { topicId } = await client.admin.topics.create({
      name: 'attacked',
      partitions: topic.partitions,
    })
    const value = new Uint8Array(MiB / 2)
    const handle = client.topic('attacked')
    for (let i = 0; i < (topic.megabytes ?? 0) * 2; i++) await handle.send({ value, partition: 0 })
    const bombs = client.topic('attacked', { compression: 'gzip' })
    for (let i = 0; i < (topic.bombs ?? 0); i++) {
      await bombs.send({ value: new Uint8Array(7 * MiB), partition: 0 })
    }
    return topicId
  } finally {
    await client.close()
  }
}

function problemsOf(one: HostileCase, report: Omit<HostileReport, 'problems'>): string[] {
  const { verdicts, attacked, peakBytes, boundBytes, left } = report
  const problems: string[] = []
  for (const pattern of one.told) {
    const told = Object.entries(verdicts).some(([name, count]) => count > 0 && pattern.test(name))
    if (!told) problems.push(`nobody was told ${pattern}`)
  }
  const { longestMs = usualLongestMs } = one
  if (attacked.maxMs > longestMs) {
    problems.push(`the victim waited ${attacked.maxMs.toFixed(0)} ms, allowed ${longestMs}`)
  }
  if (peakBytes > boundBytes) {
    const [peak, bound] = [peakBytes, boundBytes].map(bytes => (bytes / MiB).toFixed(0))
    problems.push(`RSS rose to ${peak} MiB, allowed ${bound}`)
  }
  if (left !== '' && one.leaves !== left.replace(/\d+ /g, '')) problems.push(`left open: ${left}`)
  return problems
}

export async function runHostile(one: HostileCase, size: AttackSize): Promise<HostileReport> {
  await using broker = await MeasuredBroker.start(
    one.config === undefined ? {} : { config: one.config },
  )
  const topicId = one.topic === undefined ? '' : await fill(broker.url, one.topic)
  const victim = await Victim.start(broker.url)
  const attacker = await Child.start(new URL('./attacker.js', import.meta.url))
  try {
    const calm = await victim.measure(Promise.resolve(), 250)
    const idle = await broker.usage()
    const rss = new RssSeries(broker.pid, 20)
    const target: AttackTarget = {
      port: broker.port,
      ...size,
      ...(one.topic === undefined
        ? { topic: victimTopic, topicId: victim.topicId, partitions: 1 }
        : { topic: 'attacked', topicId, partitions: one.topic.partitions }),
    }
    const attack = attacker.ask<Record<string, number>>('attack', { name: one.attack, target })
    const attacked = await victim.measure(attack, 0)
    const verdicts = await attack
    rss.look()
    rss.stop()
    const after = await victim.measure(Promise.resolve(), 100)
    await attacker.end()
    const report = {
      attack: one.attack,
      verdicts,
      calm,
      attacked,
      after,
      idleBytes: idle.rssBytes,
      peakBytes: rss.peak,
      boundBytes: idle.rssBytes + (one.limitMiB + slackMiB) * MiB,
      rss,
      left: await untilBack(idle, () => broker.usage()),
    }
    return { ...report, problems: problemsOf(one, report) }
  } finally {
    await attacker.end()
    await victim.close()
  }
}

const ms = ({ medianMs, p99Ms, maxMs }: Latency): string =>
  `${medianMs.toFixed(1)}/${p99Ms.toFixed(0)}/${maxMs.toFixed(0)}`

/** Lines for people. */
export function renderHostile(report: HostileReport): string {
  const { attack, verdicts, calm, attacked, rss, boundBytes, problems } = report
  const said = Object.entries(verdicts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} × ${count}`)
  return [
    `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${attack}: ${said.join(', ') || 'nothing said'}`,
    `       victim p50/p99/max ${ms(calm)} ms calm, ${ms(attacked)} ms attacked`,
    `       RSS ${rss.render()}, bound ${(boundBytes / MiB).toFixed(0)}`,
    ...problems.map(problem => `       ✖ ${problem}`),
  ].join('\n')
}
