/**
 * Syscalls: a broker under load with every call to disk and network written down, and the trace
 * held against syscall-order.ts.
 *
 * Always true: each kind of promise was made at least once in the trace, or it proves nothing.
 * Used by run.ts and syscalls.test.ts; needs strace.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import { expect, type Facts, type LaneOptions } from './lane.ts'
import { connectQuickly, Load, type LoadOptions } from './load.ts'
import { settle } from './settle.ts'
import { readTrace, straceWords } from './strace.ts'
import { checkOrder, type OrderFacts } from './syscall-order.ts'
import { Workplace } from './workplace.ts'

const topic = 'traced'
const calls = [
  ...['openat', 'pwrite64', 'pwritev', 'fdatasync', 'fsync', 'ftruncate'],
  ...['rename', 'unlink', 'write', 'writev', 'sendmsg', 'sendto'],
]

/** @throws Error naming the first call that came too early */
export async function traceCalls(forMs: number, round: number): Promise<OrderFacts> {
  const place = new Workplace()
  let broker: BrokerProcess | null = null
  try {
    const output = join(place.directory, 'trace')
    const wrapper = straceWords({ output, calls, keptBytes: 2048 })
    broker = await startBrokerProcess({ dataDir: place.folder('data'), wrapper })
    await drive(broker.url, forMs, round)
    await broker.stop()
    await broker.exited
    const facts = checkOrder(readTrace(output), topic)
    const missing = Object.entries(facts).filter(([, count]) => count === 0)
    expect(missing.length === 0, `the trace has no ${missing.map(([name]) => name)}`)
    return facts
  } finally {
    await broker?.kill()
    place.remove()
  }
}

async function drive(url: string, forMs: number, round: number): Promise<void> {
  const client = await connectQuickly(url)
  let load: Load | null = null
  try {
    const configs = { 'segment.bytes': '32768' }
    await client.admin.topics.create({ name: topic, partitions: 2, configs })
    const options: LoadOptions = {
      ...{ url, topic, round, valueBytes: 300, idempotent: [true, true, false] },
      pace: { records: 12, everyMs: 5 },
      batchBytes: 4096,
    }
    load = await Load.start(options)
    await sleep(forMs)
    await settle(load, options)
    for (const partition of [0, 1]) await client.admin.topics.trim(topic, partition, -1)
  } finally {
    await load?.abandon()
    await client.close()
  }
}

/** @throws Error naming the first call that came too early */
export async function syscalls({ rounds, say }: LaneOptions): Promise<Facts> {
  const total: Record<string, number> = { rounds }
  for (let round = 0; round < rounds; round++) {
    const facts = await traceCalls(3000, round)
    for (const [name, count] of Object.entries(facts)) total[name] = (total[name] ?? 0) + count
    say(`round ${round}: ${JSON.stringify(facts)}`)
  }
  return total
}
