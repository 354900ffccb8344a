/**
 * Options: the tables of everything that connect(), topic() and consumer() accept, and their
 * defaults.
 *
 * Always true: what these functions return is complete and within its ranges; nothing behind them
 * checks an option again.
 * Called by client.ts, producer/topic-handle.ts and consumer/consumer.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { acksLevels } from '../../protocol/messages/produce.ts'
import { compressionCodecs } from '../../protocol/world.ts'
import type { Logger } from '../types/calls.ts'
import type { ConnectOptions } from '../types/client.ts'
import type { ConsumerOptions } from '../types/consuming.ts'
import type { ProducerOptions, TopicOptions } from '../types/producing.ts'
import {
  type Check,
  checkOptions,
  hasMethods,
  integerFrom,
  isFlag,
  isFunction,
  isSignal,
  isText,
  type OptionTable,
  oneOf,
} from './check-options.ts'

const maxTimerMs = 2 ** 31 - 1
const positiveMs = integerFrom(1, maxTimerMs)
const isCodec: Check = value =>
  hasMethods('encode', 'decode')(value) === undefined
    ? undefined
    : 'a codec (an object with encode and decode)'
const anything: Check = () => undefined

const producerTable: OptionTable = {
  acks: oneOf(...acksLevels),
  idempotent: isFlag,
  lingerMs: integerFrom(0, 60_000),
  batchBytes: integerFrom(256, 64 * 1024 * 1024),
  maxInFlight: integerFrom(1, 5),
  bufferBytes: integerFrom(1),
  deliveryTimeoutMs: positiveMs,
  compression: oneOf(...compressionCodecs),
}
const reconnectTable: OptionTable = { baseMs: positiveMs, maxMs: positiveMs }
const connectTable: OptionTable = {
  servers: anything,
  clientId: isText,
  connectTimeoutMs: positiveMs,
  requestTimeoutMs: positiveMs,
  metadataMaxAgeMs: positiveMs,
  reconnect: anything,
  producer: anything,
  closeTimeoutMs: integerFrom(0, maxTimerMs),
  logger: hasMethods('debug', 'info', 'warn', 'error'),
  signal: isSignal,
}
const topicTable: OptionTable = {
  key: isCodec,
  value: isCodec,
  partitioner: value =>
    typeof value === 'function' ? undefined : oneOf('murmur2', 'crc32', 'sticky')(value),
  compression: oneOf(...compressionCodecs),
  acks: oneOf(...acksLevels),
  onError: isFunction,
}
const consumerTable: OptionTable = {
  topics: anything,
  assign: anything,
  start: anything,
  key: isCodec,
  value: isCodec,
  noOffset: oneOf('earliest', 'latest', 'error'),
  onDecodeError: oneOf('fail', 'skip', 'raw'),
  isolation: oneOf('committed', 'uncommitted'),
  bufferBytes: integerFrom(1),
  fetchBytes: integerFrom(1, 2 ** 31 - 1),
  maxWaitMs: integerFrom(0, 300_000),
  minBytes: integerFrom(0, 2 ** 31 - 1),
  checkCrc: isFlag,
  stopAtEnd: isFlag,
  signal: isSignal,
}

export type ProducerSettings = Required<ProducerOptions>

export interface ClientSettings {
  readonly servers: readonly string[]
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly reconnectBaseMs: number
  readonly reconnectMaxMs: number
  readonly closeTimeoutMs: number
  readonly producer: ProducerSettings
  readonly logger: Logger
}

const ignore = (): void => undefined
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

function checkServers(servers: unknown): string[] {
  const list = typeof servers === 'string' ? [servers] : servers
  if (!Array.isArray(list) || list.length === 0) {
    throw new SluiceError('INVALID_ARGUMENT', 'connect: option "servers" names no broker', {
      hint: "connect({ servers: 'ws://127.0.0.1:9290' })",
    })
  }
  return list.map(checkServer)
}

function checkServer(server: unknown): string {
  const parsed = typeof server === 'string' && URL.canParse(server) ? new URL(server) : undefined
  const isSocket = parsed?.protocol === 'ws:' || parsed?.protocol === 'wss:'
  if (typeof server === 'string' && isSocket && parsed?.hostname !== '') return server
  throw new SluiceError('INVALID_ARGUMENT', `connect: "${String(server)}" is not a broker URL`, {
    hint: 'a broker URL looks like ws://127.0.0.1:9290',
  })
}

function producerSettings(options: ProducerOptions = {}): ProducerSettings {
  checkOptions(options, producerTable, 'connect: producer')
  return {
    acks: options.acks ?? 'all',
    idempotent: options.idempotent ?? true,
    lingerMs: options.lingerMs ?? 0,
    batchBytes: options.batchBytes ?? 1024 * 1024,
    maxInFlight: options.maxInFlight ?? 5,
    bufferBytes: options.bufferBytes ?? 32 * 1024 * 1024,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    compression: options.compression ?? 'none',
  }
}

/** @throws SluiceError INVALID_ARGUMENT */
export function clientSettings(options: ConnectOptions): ClientSettings {
  checkOptions(options, connectTable, 'connect')
  const reconnect = options.reconnect ?? {}
  checkOptions(reconnect, reconnectTable, 'connect: reconnect')
  const baseMs = reconnect.baseMs ?? 100
  return {
    servers: checkServers(options.servers),
    clientId: options.clientId ?? '',
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 30_000,
    reconnectBaseMs: baseMs,
    reconnectMaxMs: Math.max(baseMs, reconnect.maxMs ?? 10_000),
    closeTimeoutMs: options.closeTimeoutMs ?? 30_000,
    producer: producerSettings(options.producer),
    logger: options.logger ?? silent,
  }
}

/** @throws SluiceError INVALID_ARGUMENT, INVALID_TOPIC */
export function checkTopic<K, V>(name: unknown, options: TopicOptions<K, V>): void {
  checkTopicName(name, 'topic')
  checkOptions(options, topicTable, `topic "${name as string}"`)
}

/** @throws SluiceError INVALID_TOPIC */
export function checkTopicName(name: unknown, where: string): asserts name is string {
  if (typeof name === 'string' && name.length > 0 && name.length <= 249) return
  throw new SluiceError('INVALID_TOPIC', `${where}: ${JSON.stringify(name)} is not a topic name`, {
    hint: 'a topic name has 1 to 249 characters',
  })
}

/** @throws SluiceError INVALID_ARGUMENT */
export function checkConsumer<K, V>(options: ConsumerOptions<K, V>): void {
  checkOptions(options, consumerTable, 'consumer')
  const count = (options.topics?.length ?? 0) + (options.assign?.length ?? 0)
  const both = options.topics !== undefined && options.assign !== undefined
  if (count > 0 && !both) return
  throw new SluiceError(
    'INVALID_ARGUMENT',
    both ? 'consumer: "topics" and "assign" exclude each other' : 'consumer: nothing to read',
    { hint: "consumer({ topics: ['orders'] }) or consumer({ assign: [{ topic, partition }] })" },
  )
}
