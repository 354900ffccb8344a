/**
 * Broker config: every setting of a broker as one table. A row's name is written with dots; as a
 * flag it is `--min-free-bytes`, in the environment `SLUICE_MIN__FREE__BYTES` (one underscore will
 * do), in a JSON file `"min.free.bytes"` or nested objects. `topic.<name>` sets the broker's
 * default of a topic setting.
 *
 * Always true: a BrokerConfig was checked row by row and as a whole; nothing reads a setting any
 * other way.
 * Made by load-config.ts (command line) and `brokerConfig` (embedding, tests).
 */
import { SluiceError } from '../../protocol/errors.ts'
import { nearestName } from './nearest-name.ts'
import {
  bytes,
  choice,
  duration,
  flag,
  integer,
  type Option,
  text,
  textList,
  type ValuesOf,
} from './option.ts'
import { checkTopicConfigs, type TopicConfigs, topicSettings } from './topic-config.ts'

const KiB = 1024
const MiB = KiB * KiB

export const maxTopicPartitions = 10_000

export const brokerOptions = {
  dataDir: text('data.dir', {
    default: './sluice-data',
    about: 'Directory of the logs and the catalogue; one broker at a time.',
    test: value => (value === '' ? 'must not be empty' : null),
  }),
  listen: text('listen', {
    default: '127.0.0.1:9290',
    type: 'host:port',
    about: 'Address to listen on; port 0 = any free one.',
    test: value => (parseAddress(value) === null ? 'must be host:port, port 0 to 65535' : null),
  }),
  advertise: text('advertise', {
    default: '',
    type: 'ws:// or wss:// URL',
    about: 'URL that clients are told to use, where it differs from `listen` (containers, NAT).',
    test: value =>
      /^(wss?:\/\/[^\s/]+.*)?$/.test(value) ? null : 'must begin with ws:// or wss://',
  }),
  insecure: flag('insecure', {
    default: false,
    about: 'Allows to listen beyond loopback although there is no authentication.',
  }),
  brokerId: integer('broker.id', {
    default: 1,
    min: 0,
    max: 2 ** 31 - 1,
    about: 'Number of this broker in its cluster; kept in the data directory.',
  }),
  rack: text('rack', { default: '', about: 'Where the broker stands.' }),
  allowedOrigins: textList('allowed.origins', {
    default: [],
    about: 'Origins of web pages that may connect; no other page may.',
  }),
  allowedHosts: textList('allowed.hosts', {
    default: [],
    about: 'Host names that a loopback listener accepts besides the loopback ones.',
  }),
  logLevel: choice('log.level', ['debug', 'info', 'warn', 'error', 'silent'], {
    default: 'info',
    about: 'Least important lines that are logged.',
  }),
  slowFsyncMs: duration('slow.fsync.ms', {
    default: 1000,
    min: 1,
    about: 'An fsync of a log that takes longer is logged.',
  }),
  slowRequestMs: duration('slow.request.ms', {
    default: 5000,
    min: 1,
    about: 'A request that keeps the broker busy for longer is logged; waiting for records is not.',
  }),
  metricsTopicLabels: text('metrics.topic.labels', {
    default: 'on',
    type: 'on, off or a regular expression',
    about: 'Topics named in the label `topic` of /metrics, at most 1,000; the others count as one.',
    test: topicLabelsProblem,
  }),
  metricsPartitionLabels: flag('metrics.partition.labels', {
    default: false,
    about: 'Shows the metrics of each partition of those topics too (marked ° in the table).',
  }),
  numPartitions: integer('num.partitions', {
    default: 1,
    min: 1,
    max: maxTopicPartitions,
    about: 'Partitions of a topic that is created without a number.',
  }),
  retentionCheckIntervalMs: duration('retention.check.interval.ms', {
    default: 300_000,
    min: 100,
    about: 'How often old segments are looked for.',
  }),
  minFreeBytes: bytes('min.free.bytes', {
    default: 64 * MiB,
    min: 0,
    about: 'Free disk space below which writes are refused, so that retention keeps room to work.',
  }),
  tailCacheBytes: bytes('tail.cache.bytes', {
    default: 256 * MiB,
    min: 0,
    about: 'Memory for the newest batches of all partitions, which are read without the disk.',
  }),
  maxUncommittedBytes: bytes('max.uncommitted.bytes', {
    default: 128 * MiB,
    min: KiB,
    about: 'Batches taken and not yet on disk, over all partitions; above it produce is THROTTLED.',
  }),
  maxReceiveBytes: bytes('max.receive.bytes', {
    default: 128 * MiB,
    min: KiB,
    about:
      'Requests received and not yet answered: above it the broker stops reading, shortly below ' +
      'it from whoever holds most. As much again for messages that are half received: above it ' +
      'connections are dropped.',
  }),
  maxSendBytes: bytes('max.send.bytes', {
    default: 256 * MiB,
    min: KiB,
    about:
      'Answers that all connections have not taken yet: the fuller, the smaller the next ones; ' +
      'above half of it connections that take nothing are dropped, above it others too.',
  }),
  maxBufferedBytes: bytes('max.buffered.bytes', {
    default: 64 * MiB,
    min: KiB,
    about: 'Answers that one connection has not taken yet; above it the connection is closed.',
  }),
  maxFrameBytes: bytes('max.frame.bytes', {
    default: 16 * MiB,
    min: 4 * KiB,
    max: 2 ** 30,
    about: 'Largest message that is read.',
  }),
  maxHeaderBytes: bytes('max.header.bytes', {
    default: MiB,
    min: KiB,
    max: 64 * MiB,
    about: 'Largest header in a message.',
  }),
  maxFetchBytes: bytes('max.fetch.bytes', {
    default: 16 * MiB,
    min: KiB,
    max: 2 ** 30,
    about: 'Largest answer to one fetch; a single larger batch still comes whole.',
  }),
  maxInFlightRequests: integer('max.in.flight.requests', {
    default: 100,
    min: 1,
    max: 100_000,
    about: 'Unanswered requests of one connection.',
  }),
  maxPartitionsPerRequest: integer('max.partitions.per.request', {
    default: 5_000,
    min: 1,
    max: 100_000,
    about: 'Partitions named in one request.',
  }),
  maxPartitions: integer('max.partitions', {
    default: 10_000,
    min: 1,
    about: 'Partitions of all topics together; above it none are created.',
  }),
  handshakeTimeoutMs: duration('handshake.timeout.ms', {
    default: 10_000,
    min: 1,
    about: 'Time for a new socket to finish its HTTP request; after it the socket is closed.',
  }),
  maxPendingSockets: integer('max.pending.sockets', {
    default: 256,
    min: 1,
    about:
      'Sockets that are no connection yet; above it the one that waits longest is closed, ' +
      'if it came more than a second ago.',
  }),
  helloTimeoutMs: duration('hello.timeout.ms', {
    default: 10_000,
    min: 1,
    about: 'Time for a new connection to say hello; after it the connection is closed.',
  }),
  maxConnections: integer('max.connections', {
    default: 10_000,
    min: 1,
    about: 'Open connections.',
  }),
  maxConnectionsPerAddress: integer('max.connections.per.address', {
    default: 1_000,
    min: 1,
    about: 'Open connections from one address.',
  }),
  pingIntervalMs: duration('ping.interval.ms', {
    default: 30_000,
    min: 0,
    about: 'How often peers are pinged; one that misses two pings is dropped. 0 = never.',
  }),
} as const

export interface BrokerConfig extends ValuesOf<typeof brokerOptions> {
  /** Defaults of topic settings, under their own names. */
  readonly topicDefaults: TopicConfigs
}
export type BrokerConfigInput = { readonly [K in keyof BrokerConfig]?: BrokerConfig[K] | undefined }

const fields = Object.keys(brokerOptions) as (keyof typeof brokerOptions)[]

function invalid(message: string, hint: string): SluiceError {
  return new SluiceError('INVALID_ARGUMENT', message, { hint })
}

/**
 * A whole config from the settings that differ from the defaults.
 * @throws SluiceError INVALID_ARGUMENT (unknown field with the nearest name, value out of range),
 * INVALID_CONFIG (a topic default), BAD_LISTEN_ADDRESS (beyond loopback without `insecure`)
 */
export function brokerConfig(input: BrokerConfigInput = {}): BrokerConfig {
  const config: Record<string, unknown> = { topicDefaults: input.topicDefaults ?? {} }
  for (const name of Object.keys(input)) {
    if (name === 'topicDefaults' || Object.hasOwn(brokerOptions, name)) continue
    const nearest = nearestName(name, fields)
    throw invalid(
      `there is no broker option "${name}"`,
      nearest === null ? 'see the config table in the README' : `nearest: ${nearest}`,
    )
  }
  for (const field of fields) {
    const option: Option<unknown> = brokerOptions[field] as Option<unknown>
    const read = input[field] === undefined ? { value: option.default } : option.check(input[field])
    if ('problem' in read) {
      throw invalid(`${field} ${read.problem}, got ${JSON.stringify(input[field])}`, option.about)
    }
    config[field] = read.value
  }
  return checkWhole(config as unknown as BrokerConfig)
}

function topicLabelsProblem(value: string): string | null {
  try {
    new RegExp(value)
    return value === '' ? 'must not be empty' : null
  } catch {
    return 'must be on, off or a regular expression'
  }
}

function checkWhole(config: BrokerConfig): BrokerConfig {
  checkTopicConfigs(config.topicDefaults)
  const { maxMessageBytes } = topicSettings({}, config.topicDefaults)
  if (maxMessageBytes + KiB > config.maxFrameBytes) {
    throw invalid(
      `max.frame.bytes ${config.maxFrameBytes} cannot carry max.message.bytes ${maxMessageBytes}`,
      'raise max.frame.bytes, or lower topic.max.message.bytes',
    )
  }
  const { host } = parseAddress(config.listen) ?? { host: '' }
  if (!isLoopback(host) && !config.insecure) {
    throw new SluiceError(
      'BAD_LISTEN_ADDRESS',
      `${config.listen} can be reached from other machines, and this broker has no authentication`,
      { hint: 'listen on 127.0.0.1, or say --insecure on a network that you trust' },
    )
  }
  return config
}

/** `host:port`, `[v6]:port`; null where `address` is neither. */
export function parseAddress(address: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-f:.%a-z]+)\]|([^\s:[\]/]+)):(\d{1,5})$/i.exec(address)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  return host === undefined || !(port <= 65_535) ? null : { host, port }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
