/**
 * sluice/testing: a real broker for tests of other people's code: everything is the broker that
 * ships, but its disk is memory and its port is any free one.
 *
 *   await using broker = await startBroker({ topics: { orders: 3 } })
 *   const client = await connect({ servers: broker.url })
 *
 * Always true: two test brokers share nothing; after `close` nothing is left; nothing is written to
 * the real disk. Exported as `sluice/testing`.
 */
import { type ErrorCode, SluiceError } from '../../protocol/errors.ts'
import type { ApiName } from '../../protocol/messages/apis.ts'
import { realWorld } from '../../protocol/real-world.ts'
import type { BrokerConfigInput } from '../config/broker-config.ts'
import { createBroker } from '../server/broker.ts'
import { MemoryDisk } from '../world/memory-disk.ts'
import type { BrokerWorld } from '../world/world.ts'
import { Failures } from './failures.ts'
import { ManualTime } from './manual-time.ts'

export interface TestTopic {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface TestBrokerOptions {
  /** Topics to create: a number of partitions, or partitions and settings. */
  readonly topics?: Readonly<Record<string, number | TestTopic>>
  /** `manual`: time on the broker stands still until `clock.advance`. Default `real`. */
  readonly clock?: 'real' | 'manual'
  /** A disk that outlives the broker, to restart on; default a fresh one. */
  readonly disk?: MemoryDisk
  /** Any setting of a broker, such as limits. */
  readonly config?: BrokerConfigInput
}

export interface FailOptions {
  readonly code: ErrorCode
  /** How many requests; default 1. */
  readonly times?: number
  readonly message?: string
  /** What the error says about the write; it is never done. Default false. */
  readonly maybeApplied?: boolean
}

export interface TestBroker {
  /** `ws://127.0.0.1:<port>` */
  readonly url: string
  readonly clusterId: string
  readonly disk: MemoryDisk
  /** The next requests of `api` are answered with an error, before anything is done. */
  fail(api: ApiName, options: FailOptions): void
  /** Why the broker would have ended its process, if it would have. */
  readonly died: string | null
  readonly clock: {
    /** Moves the broker's time on. @throws SluiceError INVALID_ARGUMENT unless clock is manual */
    advance(ms: number): void
    wallMs(): number
  }
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a broker in this process; it is ready when this resolves.
 * @throws SluiceError INVALID_TOPIC, INVALID_CONFIG, INVALID_PARTITIONS, INVALID_ARGUMENT
 */
export async function startBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  requireKnown(options)
  const { disk = new MemoryDisk(), clock = 'real' } = options
  const real = await realWorld()
  const time = clock === 'manual' ? new ManualTime(real.clock.wallMs(), real.timers) : null
  const failures = new Failures()
  const state: { died: string | null } = { died: null }
  const world: BrokerWorld = {
    ...real,
    ...(time !== null && { clock: time.clock, timers: time.timers }),
    disk,
    process: {
      die: reason => {
        state.died ??= reason
      },
    },
  }
  const broker = await createBroker(
    { dataDir: '/sluice', listen: '127.0.0.1:0', minFreeBytes: 0, ...options.config },
    world,
    { intercept: api => failures.next(api), topics: topicsOf(options) },
  )
  return {
    url: broker.url,
    clusterId: broker.clusterId,
    disk,
    fail: (api, failure) => failures.add(api, failure),
    get died() {
      return state.died
    },
    clock: { advance: ms => requireManual(time).advance(ms), wallMs: () => world.clock.wallMs() },
    close: () => broker.close(),
    [Symbol.asyncDispose]: () => broker.close(),
  }
}

const optionNames = ['topics', 'clock', 'disk', 'config'] satisfies (keyof TestBrokerOptions)[]

function requireKnown(options: TestBrokerOptions): void {
  const unknown = Object.keys(options).find(name => !optionNames.some(known => known === name))
  if (unknown !== undefined) {
    throw new SluiceError('INVALID_ARGUMENT', `startBroker: unknown option "${unknown}"`, {
      hint: `options: ${optionNames.join(', ')}`,
    })
  }
  if (options.clock === undefined || ['real', 'manual'].includes(options.clock)) return
  throw new SluiceError('INVALID_ARGUMENT', `startBroker: clock cannot be "${options.clock}"`, {
    hint: "'real' or 'manual'",
  })
}

function topicsOf(options: TestBrokerOptions) {
  return Object.entries(options.topics ?? {}).map(([name, topic]) => ({
    name,
    ...(typeof topic === 'number' ? { partitions: topic } : topic),
  }))
}

function requireManual(time: ManualTime | null): ManualTime {
  if (time !== null) return time
  throw new SluiceError('INVALID_ARGUMENT', 'this broker runs on the real clock', {
    hint: "startBroker({ clock: 'manual' })",
  })
}
