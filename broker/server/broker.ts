/**
 * Broker: the composition root. The one place where the rooms are put together, in the order in
 * which they may trust each other, and taken apart in reverse.
 *
 *   config → data directory (lock, format, catalogue) → port → logs → topics → ready
 *
 * Always true: nobody is served before every partition is open, though HTTP is answered; after
 * `close` nothing of this broker runs and the directory is free; two brokers in one process share
 * nothing.
 * Called by broker/cli, broker/testing and embedders (broker/index.ts).
 */
import type { Listening } from '../../protocol/world.ts'
import { type BrokerConfig, type BrokerConfigInput, brokerConfig } from '../config/broker-config.ts'
import { type DataDirectory, openDataDirectory } from '../metadata/data-directory.ts'
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import { loadTopics } from '../replication/load-topics.ts'
import { PartitionManager } from '../replication/partition-manager.ts'
import { type NewTopic, TopicLifecycle } from '../replication/topic-lifecycle.ts'
import { openLogs as openStoredLogs } from '../storage/log-manager.ts'
import { Permits } from '../storage/permits.ts'
import type { PartitionLogs } from '../storage/types.ts'
import { type Logger, silentLogger } from '../world/logger.ts'
import type { BrokerWorld } from '../world/world.ts'
import { calmLogger } from './calm-logger.ts'
import { Deadlines } from './deadlines.ts'
import { Dispatcher, type Interceptor } from './dispatcher.ts'
import { FetchPurgatory } from './fetch-waiter.ts'
import { FrontDoor } from './front-door.ts'
import type { Health } from './health.ts'
import { urlOf, warnOfWildcard } from './listener.ts'
import type { BrokerParts } from './parts.ts'
import { Sessions } from './sessions.ts'

export interface Broker {
  /** Where clients reach it. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly brokerId: number
  readonly clusterId: string
  /**
   * Stops cleanly: no new requests, what was appended is flushed and answered, then connections,
   * files and the lock go. Idempotent.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface BrokerOptions {
  readonly logger?: Logger
  /** Answers requests with errors before they reach their handler; for tests of clients. */
  readonly intercept?: Interceptor
  /** Created before anybody is served, where they do not exist yet. */
  readonly topics?: readonly NewTopic[]
  /** Another storage under the same broker. */
  readonly openLogs?: typeof openStoredLogs
  /**
   * The process is this broker's alone: /metrics then shows memory, CPU, event loop and garbage
   * collection too. `node` is the version that runs it.
   */
  readonly ownProcess?: { readonly node: string }
}

/** How long a stopping broker waits for peers to take their answers. */
const maxDrainMs = 1000
/** Lookups by time at once, over all connections: each may unpack a batch of 64 MiB. */
export const maxLookups = 1

/**
 * Undoes what was done so far, last first; keeps going past a step that fails and throws its error
 * at the end.
 */
class Undo {
  readonly #steps: (() => unknown)[] = []

  push(step: () => unknown): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/**
 * Starts a broker; it is ready when this resolves.
 * @throws SluiceError INVALID_ARGUMENT, INVALID_CONFIG, BAD_LISTEN_ADDRESS, PORT_TAKEN,
 * DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, NEWER_FORMAT
 */
export async function createBroker(
  input: BrokerConfigInput,
  world: BrokerWorld,
  options: BrokerOptions = {},
): Promise<Broker> {
  const config = brokerConfig(input)
  const undo = new Undo()
  try {
    return await start(config, world, options, undo)
  } catch (error) {
    await undo.run().catch(() => {}) // the first error is the one to tell
    throw error
  }
}

async function start(
  config: BrokerConfig,
  world: BrokerWorld,
  options: BrokerOptions,
  undo: Undo,
): Promise<Broker> {
  const { openLogs = openStoredLogs } = options
  const beganMs = world.clock.monotonicMs()
  const logger = calmLogger(options.logger ?? silentLogger, world)
  undo.push(() => logger.end())
  const data = await openDataDirectory(world, config.dataDir, config.brokerId)
  undo.push(() => data.release())
  const door = new FrontDoor({ config, world, logger, beganMs, ownProcess: options.ownProcess })
  const { counts, health } = door
  // before the logs: who looks after this broker must not take a long recovery for a dead process
  const listening = await door.open()
  undo.push(() => listening.close())
  const limits = storageLimits(config)
  const logs = await openLogs({
    dataDir: config.dataDir,
    world,
    limits,
    logger,
    counts: counts.storage,
  })
  const closeLogs = once(() => logs.closeCleanly())
  undo.push(closeLogs)
  const parts = assemble({ config, world, logger, counts, data, logs, listening })
  health.served = parts
  await loadTopics(parts)
  noteOpened(parts, health, world.clock.monotonicMs() - beganMs)
  await createMissing(parts, options.topics ?? [])
  const dispatcher = new Dispatcher(parts, options.intercept)
  const sessions = new Sessions(parts, (exchange, header) => dispatcher.dispatch(exchange, header))
  undo.push(() => parts.deadlines.close())
  door.serve(sessions)
  const close = async () => {
    health.phase = 'stopping'
    dispatcher.stop()
    await parts.topics.idle()
    parts.purgatory.mayWait(false)
    undo.push(() => sessions.end())
    // flushing first lets every append that was taken be answered on its own connection
    undo.push(() => sessions.drained(world.timers, maxDrainMs))
    undo.push(closeLogs)
    await undo.run()
    logger.info({ event: 'stopped', dataDir: config.dataDir }, 'stopped')
  }
  warnOfWildcard(config, logger)
  noteReady(parts, Math.round(world.clock.monotonicMs() - beganMs))
  return brokerOf(parts, listening, close)
}

/** How the logs were found; worth a line of its own only after a stop that was not clean. */
function noteOpened({ counts, logger }: BrokerParts, health: Health, tookMs: number): void {
  counts.start.seconds = tookMs / 1000
  if (!counts.storage.isUncleanStart) return
  const { partitionsTotal: partitions } = counts.start
  const values = { partitions, ...health.damaged(), tookMs: Math.round(tookMs) }
  logger.info({ event: 'recovered', ...values }, 'the logs are recovered')
}

function noteReady(parts: BrokerParts, startMs: number): void {
  const { config, logs, logger, partitions } = parts
  const values = {
    url: parts.url(),
    dataDir: config.dataDir,
    partitions: logs.all().length,
    startMs,
  }
  const offline = partitions.offlineCount
  logger.info({ event: 'ready', ...values, ...(offline > 0 && { offline }) }, 'ready')
}

async function createMissing(parts: BrokerParts, topics: readonly NewTopic[]): Promise<void> {
  for (const topic of topics) {
    if (!parts.store.current.topics.has(topic.name)) await parts.topics.create(topic)
  }
}

interface Ingredients {
  readonly config: BrokerConfig
  readonly world: BrokerWorld
  readonly logger: Logger
  readonly counts: BrokerCounts
  readonly data: DataDirectory
  readonly logs: PartitionLogs
  readonly listening: Listening
}

function assemble(ingredients: Ingredients): BrokerParts {
  const { config, world, logger, counts, data, logs, listening } = ingredients
  const partitions = new PartitionManager()
  const deadlines = new Deadlines(world)
  const shared = { config, world, logger, counts, store: data.store, logs, partitions }
  return {
    ...shared,
    topics: new TopicLifecycle(shared),
    deadlines,
    purgatory: new FetchPurgatory(deadlines),
    lookups: new Permits(maxLookups),
    url: () => urlOf(config, listening),
  }
}

function storageLimits(config: BrokerConfig) {
  const { maxUncommittedBytes, tailCacheBytes, minFreeBytes } = config
  const { retentionCheckIntervalMs, slowFsyncMs } = config
  return {
    maxUncommittedBytes,
    tailCacheBytes,
    minFreeBytes,
    retentionCheckIntervalMs,
    slowFsyncMs,
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  return () => {
    done ??= work()
    return done
  }
}

function brokerOf(parts: BrokerParts, listening: Listening, stop: () => Promise<void>): Broker {
  const close = once(stop)
  return {
    url: parts.url(),
    host: listening.host,
    port: listening.port,
    brokerId: parts.config.brokerId,
    clusterId: parts.store.current.clusterId,
    close,
    [Symbol.asyncDispose]: close,
  }
}
