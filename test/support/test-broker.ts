/**
 * Test broker: the real broker on a memory disk, fake logs and a direct network, on a clock that
 * the test moves.
 */
import type { Test } from 'tap'
import type { BrokerConfigInput } from '../../broker/config/broker-config.ts'
import { type Broker, createBroker } from '../../broker/server/broker.ts'
import type { Interceptor } from '../../broker/server/dispatcher.ts'
import { ManualTime } from '../../broker/testing/manual-time.ts'
import { silentLogger } from '../../broker/world/logger.ts'
import { MemoryDisk } from '../../broker/world/memory-disk.ts'
import type { BrokerWorld } from '../../broker/world/world.ts'
import { openCompression } from '../../protocol/compression/compression.ts'
import { realRandom, realTimers } from '../../protocol/real-world.ts'
import { BatchBuilder } from '../../protocol/records/batch-builder.ts'
import { DirectNetwork, type Peer } from './direct-network.ts'
import { FakeLogs } from './fake-logs.ts'

export interface TestWorld extends BrokerWorld {
  readonly network: DirectNetwork
  readonly disk: MemoryDisk
  readonly time: ManualTime
  /** Why the process was ended, if it was. */
  readonly deaths: string[]
}

export async function testWorld(disk = new MemoryDisk()): Promise<TestWorld> {
  const time = new ManualTime(1_700_000_000_000, realTimers)
  const deaths: string[] = []
  return {
    clock: time.clock,
    timers: time.timers,
    random: realRandom(),
    network: new DirectNetwork(),
    compression: await openCompression(),
    disk,
    process: { die: reason => void deaths.push(reason) },
    time,
    deaths,
  }
}

export interface TestBroker {
  readonly broker: Broker
  readonly world: TestWorld
  readonly logs: FakeLogs
  /** What it warned of, by event. */
  readonly warnings: string[]
  /** A connection that has said hello. */
  connect(): Promise<Peer>
}

export interface TestBrokerOptions {
  readonly config?: BrokerConfigInput
  readonly world?: TestWorld
  readonly logs?: FakeLogs
  readonly intercept?: Interceptor
  readonly topics?: Readonly<Record<string, number>>
}

export async function startTestBroker(
  t: Test,
  options: TestBrokerOptions = {},
): Promise<TestBroker> {
  const { world = await testWorld(), logs = new FakeLogs(), intercept } = options
  const warnings: string[] = []
  const warn = (values: object) => void warnings.push(String((values as { event?: string }).event))
  const broker = await createBroker({ dataDir: '/data', ...options.config }, world, {
    openLogs: async () => logs,
    logger: { ...silentLogger, warn },
    ...(intercept !== undefined && { intercept }),
  })
  t.teardown(async () => {
    await broker.close()
    const { undeclared } = world.network
    // what a test orders may be anything
    if (intercept !== undefined || undeclared.length === 0) return
    throw new Error(`errors that protocol/messages does not declare: ${undeclared.join(', ')}`)
  })
  const connect = () => world.network.connect().hello()
  const peer = await connect()
  for (const [name, partitions] of Object.entries(options.topics ?? {})) {
    await peer.call('create-topics', { topics: [{ name, partitions }] })
  }
  peer.drop()
  return { broker, world, logs, warnings, connect }
}

/** A well-formed batch of `values`, not idempotent. */
export function batchOf(...values: string[]): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
  for (const value of values) {
    builder.append({ timestamp: 1000, key: null, value: new TextEncoder().encode(value) })
  }
  return builder.build({ codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 })
}

/** Lets everything that is only a microtask away happen. */
export function settled(): Promise<void> {
  return new Promise(resolve => realTimers.endOfTurn(() => resolve()))
}
