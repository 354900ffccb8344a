/**
 * Cases of requests: attacks by well-formed requests, and by what is done with their answers.
 *
 * Run by hostile-run.ts.
 */
import { MiB } from '../memory/usage.ts'
import type { HostileCase } from './hostile-case.ts'
import { all, allServed, none, some, type Told } from './told.ts'

/** Above max.receive.bytes those that only wait are answered early, as many as it takes. */
const waitingOnly: Told = {
  verdict: /^answers$/,
  least: () => 0,
  most: ({ count }) => (count <= 5 ? 0 : 90 * count),
}

export const requestCases: readonly HostileCase[] = [
  {
    attack: 'requestFlood',
    claim: 'a flood of small requests is answered in turns with everybody else',
    fast: { count: 3, holdMs: 300 },
    full: { count: 20, holdMs: 5000 },
    limitMiB: 64,
    told: [...allServed, some(/^UNKNOWN_API$/)],
  },
  {
    attack: 'metadataStorm',
    claim: 'metadata of everything, again and again, is bounded per connection',
    fast: { count: 2, holdMs: 300 },
    full: { count: 10, holdMs: 5000 },
    topic: { partitions: 150 },
    limitMiB: 160,
    told: [...allServed, all(/^answers$/)],
  },
  {
    attack: 'lookupStorm',
    claim: 'lookups by time in batches that unpack to a great size go one by one',
    fast: { count: 2, holdMs: 1500 },
    full: { count: 10, holdMs: 5000 },
    topic: { partitions: 1, bombs: 4 },
    limitMiB: 160,
    told: [...allServed, some(/^answers$/), none(/^[A-Z_]+$/)],
  },
  {
    attack: 'unreadFetches',
    claim: 'clients that read nothing while they fetch hold no more than max.send.bytes',
    fast: { count: 30, holdMs: 3000 },
    full: { count: 200, holdMs: 5000 },
    topic: { partitions: 1, megabytes: 32 },
    config: { tailCacheBytes: 0, maxSendBytes: 32 * MiB },
    limitMiB: 48,
    fastLimitMiB: 16,
    garbageMiB: 512,
    told: [all(/^greeted$/), all(/^answers$|^close 1013$|^cut off$/)],
  },
  {
    attack: 'unreadLongPolls',
    claim: 'requests of a peer that takes no answers do not keep others from being read',
    fast: { count: 3, holdMs: 500 },
    full: { count: 20, holdMs: 8000 },
    topic: { partitions: 1 },
    config: { maxReceiveBytes: 32 * MiB },
    limitMiB: 128,
    told: [all(/^greeted$/), all(/^answers$|^cut off$|^close 1013$/)],
  },
  {
    attack: 'longPolls',
    claim: 'thousands of waiting fetches are bounded, and a record still comes through at once',
    fast: { count: 5, holdMs: 300 },
    full: { count: 400, holdMs: 5000 },
    limitMiB: 200,
    told: [...allServed, waitingOnly, none(/^[A-Z_]+$/)],
  },
  {
    attack: 'tooManyInFlight',
    claim: 'more unanswered requests than allowed are TOO_MANY_REQUESTS',
    fast: { count: 2, holdMs: 300 },
    full: { count: 50, holdMs: 2000 },
    topic: { partitions: 1 },
    limitMiB: 64,
    told: [...allServed, all(/^TOO_MANY_REQUESTS$/)],
  },
  {
    attack: 'swollenHeaders',
    claim: 'headers that swell when they are read are refused, or not kept',
    fast: { count: 2, holdMs: 100 },
    full: { count: 20, holdMs: 3000 },
    topic: { partitions: 1 },
    limitMiB: 160,
    told: [all(/^greeted$/), some(/^close 1002$|^cut off$/)],
  },
  {
    attack: 'repeatedPartitions',
    claim: 'a fetch that names a partition twice is refused',
    fast: { count: 1, holdMs: 100 },
    full: { count: 20, holdMs: 3000 },
    topic: { partitions: 1 },
    limitMiB: 160,
    told: [...allServed, all(/^INVALID_REQUEST$/)],
  },
  {
    attack: 'topicStorm',
    claim: 'topics by the thousand end at max.partitions with POLICY_VIOLATION',
    fast: { count: 2, holdMs: 400 },
    full: { count: 20, holdMs: 10_000 },
    topic: { partitions: 30 },
    config: { maxPartitions: 200 },
    limitMiB: 64,
    told: [...allServed, all(/^POLICY_VIOLATION$/)],
    leavesFiles: true,
  },
  {
    attack: 'produceFlood',
    claim: 'batches without an ack, faster than the disk, stay within max.uncommitted.bytes',
    fast: { count: 3, holdMs: 400 },
    full: { count: 10, holdMs: 5000 },
    topic: { partitions: 1 },
    config: { tailCacheBytes: 16 * MiB, maxUncommittedBytes: 32 * MiB, maxReceiveBytes: 32 * MiB },
    limitMiB: 160,
    fastLimitMiB: 40,
    told: [...allServed, all(/^records kept$/)],
  },
  {
    attack: 'noPong',
    claim: 'a connection that answers no ping is dropped',
    fast: { count: 20, holdMs: 1200 },
    full: { count: 500, holdMs: 3000 },
    config: { pingIntervalMs: 250 },
    isAlone: true,
    limitMiB: 30,
    told: [all(/^greeted$/), all(/^cut off$/), none(/^still open$/)],
  },
]
