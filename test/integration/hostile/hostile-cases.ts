/**
 * Hostile cases: each attack with its size, what it must be told, and what it may cost the broker.
 *
 * Always true: `fast` fits `npm test`; `full` is what `npm run memory -- --only hostile` does. The
 * growth allowed is what the limits in force promise, plus what a garbage collector leaves lying
 * about (`garbageMiB`).
 * Run by hostile-run.ts.
 */
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'
import { MiB } from '../memory/usage.ts'

export interface AttackSize {
  readonly count: number
  readonly holdMs: number
}

export interface HostileCase {
  /** A function of attacks-….ts. */
  readonly attack: string
  readonly claim: string
  /** null = too slow to be seen in a second. */
  readonly fast: AttackSize | null
  readonly full: AttackSize
  /** In the full form; the fast one runs with `fastConfig` unless `isAlone`. */
  readonly config?: BrokerConfigInput
  /** It needs its own config in the fast form too. */
  readonly isAlone?: boolean
  readonly topic?: AttackedTopic
  /** How much more the broker may hold, by its limits; in the fast form `fastLimitMiB`. */
  readonly limitMiB: number
  /** Where reads of files leave more of it than usual. */
  readonly garbageMiB?: number
  /** Of the verdicts: each must be matched by one that occurred. */
  readonly told: readonly RegExp[]
  /** What stays open for a good reason. */
  readonly leaves?: string
}

export interface AttackedTopic {
  readonly partitions: number
  readonly megabytes?: number
  /** Batches that unpack to 7 MiB. */
  readonly bombs?: number
}

/** Of RSS: buffers on their way to the collector, code that was compiled, the victim's records. */
export const garbageMiB = 160
/** Of what is held after a collection: the same without the buffers. */
export const heldSlackMiB = 24

/** Limits so small that an attack of a second meets them. */
export const fastConfig: BrokerConfigInput = {
  handshakeTimeoutMs: 500,
  helloTimeoutMs: 500,
  maxConnectionsPerAddress: 50,
  maxReceiveBytes: 8 * MiB,
  maxSendBytes: 16 * MiB,
  maxUncommittedBytes: 16 * MiB,
  tailCacheBytes: 16 * MiB,
  maxPartitions: 200,
}
/** What they add up to, half-received messages apart. */
export const fastLimitMiB = 64

const small = { maxReceiveBytes: 32 * MiB }

export const hostileCases: readonly HostileCase[] = [
  {
    attack: 'muteSockets',
    claim: 'sockets that say nothing are dropped in time, and others get in meanwhile',
    fast: { count: 300, holdMs: 800 },
    full: { count: 3000, holdMs: 3000 },
    config: { handshakeTimeoutMs: 500 },
    limitMiB: 20,
    told: [/cut off/],
  },
  {
    attack: 'slowUpgrades',
    claim: 'an upgrade byte by byte is cut off when its time is over',
    fast: { count: 50, holdMs: 800 },
    full: { count: 1000, holdMs: 3000 },
    config: { handshakeTimeoutMs: 500 },
    limitMiB: 20,
    told: [/HTTP 408/],
  },
  {
    attack: 'noHello',
    claim: 'a connection that never says hello is closed with 1008',
    fast: { count: 50, holdMs: 800 },
    full: { count: 1000, holdMs: 3000 },
    config: { helloTimeoutMs: 500 },
    limitMiB: 40,
    told: [/close 1008/],
  },
  {
    attack: 'idleSockets',
    claim: 'idle connections cost little each, and the rest are refused with 503',
    fast: { count: 200, holdMs: 100 },
    full: { count: 5000, holdMs: 2000 },
    // The victim has one of its own.
    config: { maxConnections: 10_000, maxConnectionsPerAddress: 1000 },
    limitMiB: 200,
    told: [/still open/],
  },
  {
    attack: 'oneAddress',
    claim: 'one address gets as many connections as it may, the rest are refused with 503',
    fast: { count: 60, holdMs: 100 },
    full: { count: 600, holdMs: 500 },
    config: { maxConnectionsPerAddress: 50 },
    limitMiB: 10,
    told: [/HTTP 503/, /still open/],
  },
  {
    attack: 'churn',
    claim: 'connections that come and go leave nothing behind',
    fast: { count: 300, holdMs: 0 },
    full: { count: 20_000, holdMs: 0 },
    limitMiB: 20,
    told: [/opened/],
  },
  {
    attack: 'httpJunk',
    claim: 'HTTP that is not for this port is refused or cut off',
    fast: { count: 40, holdMs: 0 },
    full: { count: 3000, holdMs: 0 },
    limitMiB: 20,
    told: [/HTTP 400/, /HTTP 403/, /HTTP 405/, /HTTP 431/, /cut off/],
  },
  {
    attack: 'unreadHttp',
    claim: 'plain requests whose answers nobody reads wait in the sender, not in the broker',
    fast: { count: 2, holdMs: 200 },
    full: { count: 50, holdMs: 5000 },
    limitMiB: 30,
    told: [],
  },
  {
    attack: 'halfMessages',
    claim: 'half-received messages over many connections stay below their limit',
    fast: { count: 6, holdMs: 400 },
    full: { count: 60, holdMs: 3000 },
    config: small,
    limitMiB: 64,
    told: [/close 1013|cut off/],
  },
  {
    attack: 'byteByByte',
    claim: 'a message byte by byte costs what its pieces cost, and no more than its limit',
    fast: null,
    full: { count: 40, holdMs: 20_000 },
    config: { maxReceiveBytes: MiB },
    limitMiB: 16,
    told: [/close 1013|close 1008|cut off/],
  },
  {
    attack: 'endlessFragments',
    claim: 'a message in endless fragments is cut off',
    fast: { count: 2, holdMs: 600 },
    full: { count: 50, holdMs: 3000 },
    limitMiB: 40,
    told: [/close 1008/],
  },
  {
    attack: 'heldFragments',
    claim: 'fragments held in many connections count as what they cost',
    fast: { count: 5, holdMs: 700 },
    full: { count: 400, holdMs: 3000 },
    config: { maxReceiveBytes: 16 * MiB },
    limitMiB: 64,
    told: [/close 1013|cut off/],
  },
  {
    attack: 'unreadPongs',
    claim: 'pings whose answers nobody reads are cut off before the answers pile up',
    fast: { count: 4, holdMs: 300 },
    full: { count: 50, holdMs: 10_000 },
    limitMiB: 64,
    told: [/close 1008|close 1013|cut off/],
  },
  {
    attack: 'pongFlood',
    claim: 'control frames without number are cut off with 1008',
    fast: { count: 4, holdMs: 300 },
    full: { count: 20, holdMs: 5000 },
    limitMiB: 40,
    told: [/close 1008/],
  },
  {
    attack: 'badFrames',
    claim: 'every malformed message gets its close code or error, and costs its connection alone',
    fast: { count: 32, holdMs: 0 },
    full: { count: 3200, holdMs: 0 },
    limitMiB: 60,
    told: [/close 1002/, /close 1009/, /INVALID_REQUEST/],
  },
  {
    attack: 'requestFlood',
    claim: 'a flood of small requests is answered in turns with everybody else',
    fast: { count: 3, holdMs: 300 },
    full: { count: 20, holdMs: 5000 },
    limitMiB: 64,
    told: [/UNKNOWN_API/],
  },
  {
    attack: 'metadataStorm',
    claim: 'metadata of everything, again and again, is bounded per connection',
    fast: { count: 2, holdMs: 300 },
    full: { count: 10, holdMs: 5000 },
    topic: { partitions: 150 },
    limitMiB: 160,
    told: [],
  },
  {
    attack: 'lookupStorm',
    claim: 'lookups by time in batches that unpack to a great size go one by one',
    fast: { count: 2, holdMs: 300 },
    full: { count: 10, holdMs: 5000 },
    topic: { partitions: 1, bombs: 4 },
    limitMiB: 160,
    told: [],
  },
  {
    attack: 'unreadFetches',
    claim: 'clients that read nothing while they fetch hold no more than max.send.bytes',
    fast: { count: 30, holdMs: 3000 },
    full: { count: 200, holdMs: 5000 },
    topic: { partitions: 1, megabytes: 32 },
    config: { tailCacheBytes: 0, maxSendBytes: 32 * MiB },
    limitMiB: 48,
    garbageMiB: 512,
    told: [/close 1013|cut off/],
  },
  {
    attack: 'unreadLongPolls',
    claim: 'requests of a peer that takes no answers do not keep others from being read',
    fast: { count: 3, holdMs: 500 },
    full: { count: 20, holdMs: 8000 },
    topic: { partitions: 1 },
    config: small,
    limitMiB: 128,
    told: [],
  },
  {
    attack: 'longPolls',
    claim: 'thousands of waiting fetches are bounded, and a record still comes through at once',
    fast: { count: 10, holdMs: 300 },
    full: { count: 400, holdMs: 5000 },
    limitMiB: 200,
    told: [],
  },
  {
    attack: 'tooManyInFlight',
    claim: 'more unanswered requests than allowed are TOO_MANY_REQUESTS',
    fast: { count: 2, holdMs: 300 },
    full: { count: 50, holdMs: 2000 },
    topic: { partitions: 1 },
    limitMiB: 64,
    told: [/TOO_MANY_REQUESTS/],
  },
  {
    attack: 'swollenHeaders',
    claim: 'headers that swell when they are read are refused, or not kept',
    fast: { count: 2, holdMs: 100 },
    full: { count: 20, holdMs: 3000 },
    topic: { partitions: 1 },
    limitMiB: 160,
    told: [/close 1002|cut off/],
  },
  {
    attack: 'repeatedPartitions',
    claim: 'a fetch that names a partition twice is refused',
    fast: { count: 1, holdMs: 100 },
    full: { count: 20, holdMs: 3000 },
    topic: { partitions: 1 },
    limitMiB: 160,
    told: [/INVALID_REQUEST/],
  },
  {
    attack: 'topicStorm',
    claim: 'topics by the thousand end at max.partitions with POLICY_VIOLATION',
    fast: { count: 2, holdMs: 400 },
    full: { count: 20, holdMs: 10_000 },
    topic: { partitions: 30 },
    config: { maxPartitions: 200 },
    limitMiB: 64,
    told: [/POLICY_VIOLATION/],
    leaves: 'files',
  },
  {
    attack: 'produceFlood',
    claim: 'batches without an ack, faster than the disk, stay within max.uncommitted.bytes',
    fast: { count: 3, holdMs: 400 },
    full: { count: 10, holdMs: 5000 },
    topic: { partitions: 1 },
    config: { tailCacheBytes: 16 * MiB, maxUncommittedBytes: 32 * MiB, maxReceiveBytes: 32 * MiB },
    limitMiB: 160,
    told: [],
  },
  {
    attack: 'noPong',
    claim: 'a connection that answers no ping is dropped',
    fast: { count: 20, holdMs: 700 },
    full: { count: 500, holdMs: 3000 },
    config: { pingIntervalMs: 150 },
    isAlone: true,
    limitMiB: 30,
    told: [/cut off/],
  },
]
