/**
 * Cases of sockets: attacks by how one connects and by what is no message.
 *
 * Run by hostile-run.ts.
 */
import { MiB } from '../memory/usage.ts'
import type { HostileCase } from './hostile-case.ts'
import { about, all, allDropped, many, none, type Situation, some } from './told.ts'

/** So many of them may be connected; a few of the connections are the victim's and ours. */
const roomFor = ({ count, config }: Situation): number =>
  Math.min(count, config.maxConnections ?? count)

export const socketCases: readonly HostileCase[] = [
  {
    attack: 'muteSockets',
    claim: 'sockets that say nothing are dropped in time, and others get in meanwhile',
    fast: { count: 300, holdMs: 800 },
    full: { count: 3000, holdMs: 3000 },
    config: { handshakeTimeoutMs: 500 },
    limitMiB: 20,
    told: [...allDropped, some(/^HTTP 408$/)],
  },
  {
    attack: 'slowUpgrades',
    claim: 'an upgrade byte by byte is cut off when its time is over',
    fast: { count: 50, holdMs: 800 },
    full: { count: 1000, holdMs: 3000 },
    config: { handshakeTimeoutMs: 500 },
    limitMiB: 20,
    told: [...allDropped, some(/^HTTP 408$/)],
  },
  {
    attack: 'noHello',
    claim: 'a connection that never says hello is closed with 1008',
    fast: { count: 50, holdMs: 800 },
    full: { count: 1000, holdMs: 3000 },
    config: { helloTimeoutMs: 500 },
    limitMiB: 40,
    told: [all(/^close 1008$/), none(/^still open$/)],
  },
  {
    attack: 'idleSockets',
    claim: 'idle connections cost little each, and the rest are refused with 503',
    fast: { count: 300, holdMs: 100 },
    full: { count: 5000, holdMs: 2000 },
    config: { maxConnections: 4000, maxConnectionsPerAddress: 1000 },
    limitMiB: 200,
    told: [
      about(/^greeted$/, roomFor, 5),
      about(/^still open$/, roomFor, 5),
      about(/^HTTP 503$/, size => size.count - roomFor(size), 5),
    ],
  },
  {
    attack: 'oneAddress',
    claim: 'one address gets as many connections as it may, the rest are refused with 503',
    fast: { count: 60, holdMs: 100 },
    full: { count: 600, holdMs: 500 },
    config: { maxConnectionsPerAddress: 50 },
    limitMiB: 10,
    told: [
      about(/^still open$/, ({ count, config }) =>
        Math.min(count, config.maxConnectionsPerAddress ?? count),
      ),
      about(/^HTTP 503$/, ({ count, config }) =>
        Math.max(0, count - (config.maxConnectionsPerAddress ?? count)),
      ),
    ],
  },
  {
    attack: 'churn',
    claim: 'connections that come and go leave nothing behind',
    fast: { count: 300, holdMs: 0 },
    full: { count: 20_000, holdMs: 0 },
    limitMiB: 20,
    told: [many(1 / 3, /^greeted$/), none(/^HTTP/)],
  },
  {
    attack: 'httpJunk',
    claim: 'HTTP that is not for this port is refused or cut off',
    fast: { count: 40, holdMs: 0 },
    full: { count: 3000, holdMs: 0 },
    limitMiB: 20,
    told: [
      some(/^Origin: HTTP 403$/),
      some(/^Host: HTTP 403$/),
      some(/^Host of a page: HTTP 403$/),
      none(/^(Origin|Host|Host of a page): (?!HTTP 403$)/),
      some(/HTTP 400$/),
      some(/HTTP 405$/),
      some(/HTTP 431$/),
      some(/cut off$/),
    ],
  },
  {
    attack: 'unreadHttp',
    claim: 'plain requests whose answers nobody reads wait in the sender, not in the broker',
    fast: { count: 2, holdMs: 200 },
    full: { count: 50, holdMs: 5000 },
    limitMiB: 30,
    told: [...allDropped],
  },
  {
    attack: 'halfMessages',
    claim: 'half-received messages over many connections stay below their limit',
    fast: { count: 6, holdMs: 400 },
    full: { count: 60, holdMs: 3000 },
    config: { maxReceiveBytes: 32 * MiB },
    limitMiB: 64,
    fastLimitMiB: 8,
    told: [all(/^greeted$/), some(/^close 1013$|^cut off$/)],
  },
  {
    attack: 'byteByByte',
    claim: 'a message byte by byte costs what its pieces cost, and no more than its limit',
    fast: null,
    full: { count: 40, holdMs: 20_000 },
    config: { maxReceiveBytes: MiB },
    limitMiB: 16,
    told: [all(/^greeted$/), some(/^close 1013$|^close 1008$|^cut off$/)],
  },
  {
    attack: 'endlessFragments',
    claim: 'a message in endless fragments is cut off',
    fast: { count: 2, holdMs: 600 },
    full: { count: 50, holdMs: 3000 },
    limitMiB: 40,
    told: [all(/^close 1008$|^close 1013$/), some(/^close 1008$/), none(/^still open$/)],
  },
  {
    attack: 'heldFragments',
    claim: 'fragments held in many connections count as what they cost',
    fast: { count: 5, holdMs: 700 },
    full: { count: 400, holdMs: 3000 },
    config: { maxReceiveBytes: 16 * MiB },
    limitMiB: 64,
    // Six million objects in two seconds: V8 lets its heap double more than once before it is done
    // with them (peak 412 and 418 MiB at its own pace).
    garbageMiB: 400,
    fastLimitMiB: 8,
    told: [all(/^greeted$/), some(/^close 1013$|^cut off$/)],
  },
  {
    attack: 'unreadPongs',
    claim: 'pings whose answers nobody reads are cut off before the answers pile up',
    fast: { count: 4, holdMs: 300 },
    full: { count: 50, holdMs: 10_000 },
    limitMiB: 64,
    told: [...allDropped],
  },
  {
    attack: 'pongFlood',
    claim: 'control frames without number are cut off with 1008',
    fast: { count: 4, holdMs: 300 },
    full: { count: 20, holdMs: 5000 },
    limitMiB: 40,
    told: [all(/^close 1008$/), none(/^still open$/)],
  },
  {
    attack: 'badFrames',
    claim: 'every malformed message gets its close code or error, and costs its connection alone',
    fast: { count: 32, holdMs: 0 },
    full: { count: 3200, holdMs: 0 },
    limitMiB: 60,
    told: [
      some(/^close 1002$/),
      some(/^close 1009$/),
      some(/^INVALID_REQUEST$/),
      none(/^no verdict$/),
    ],
  },
]
