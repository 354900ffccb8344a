/**
 * Log manager: all logs of one data directory, and what they share: the tail cache, the permits to
 * fsync, the checkpoint, the free space, and the timers that roll, retain and checkpoint.
 *
 *   <dataDir>/<topic>-<partition>/ …      <dataDir>/log-checkpoint      <dataDir>/clean-shutdown
 *
 * Always true: at most one Log per topic id and partition; a directory is used only if its
 * partition.metadata names the topic id that is asked for (S6).
 * Made by `openLogs` in the composition root (broker/server/broker.ts).
 */
import { SluiceError } from '../../protocol/errors.ts'
import { invariant } from '../../protocol/invariant.ts'
import { StorageCounts } from '../metrics/storage-counts.ts'
import { isNoSpace } from '../world/disk.ts'
import type { BrokerWorld } from '../world/world.ts'
import { CheckpointStore } from './checkpoint-store.ts'
import { deletedSuffix, parsePartitionDirectory } from './file-names.ts'
import { finalSync, SyncFailure } from './final-sync.ts'
import { Housekeeping } from './housekeeping.ts'
import { inParallel } from './in-parallel.ts'
import type { LogCheckpoint } from './load-types.ts'
import { Log } from './log.ts'
import { loadLog } from './log-load.ts'
import { claimDirectory, directoryContent, readTopicId } from './partition-directory.ts'
import { Permits } from './permits.ts'
import { WallClockGuard } from './retention.ts'
import {
  defaultStorageLimits,
  type LogShared,
  type StorageLimits,
  type StorageLogger,
} from './shared.ts'
import { SpaceReserve } from './space-reserve.ts'
import { TailCache } from './tail-cache.ts'
import type {
  LogIdentity,
  LogSettings,
  PartitionLog,
  PartitionLogs,
  UnknownDirectory,
} from './types.ts'

export interface OpenLogsOptions {
  /** Exists already, and is locked by the caller. */
  readonly dataDir: string
  readonly world: BrokerWorld
  readonly limits?: Partial<StorageLimits>
  readonly logger: StorageLogger
  /** Bumped by all logs; default: numbers that nobody reads. */
  readonly counts?: StorageCounts
}

const keyOf = (topicId: string, partition: number) => `${topicId}/${partition}`

/** @throws SluiceError NEWER_FORMAT; DiskError */
export async function openLogs(options: OpenLogsOptions): Promise<PartitionLogs> {
  const manager = new LogManager(options)
  await manager.start()
  return manager
}

class LogManager implements PartitionLogs {
  readonly #dataDir: string
  readonly #world: BrokerWorld
  readonly #shared: LogShared
  readonly #checkpoints: CheckpointStore
  readonly #housekeeping: Housekeeping
  readonly #logs = new Map<string, Log>()
  /** Notes of logs that are not open yet, and must not be lost from the checkpoint meanwhile. */
  readonly #noted = new Map<string, LogCheckpoint>()
  readonly #opening = new Set<string>()
  /** By directory, as `findUnknown` read them, so that a start reads each file once. */
  readonly #foundTopicIds = new Map<string, string>()
  #clean = false

  constructor(options: OpenLogsOptions) {
    const { dataDir, world, limits, logger, counts = new StorageCounts() } = options
    this.#dataDir = dataDir
    this.#world = world
    const all = { ...defaultStorageLimits, ...limits }
    this.#checkpoints = new CheckpointStore({
      disk: world.disk,
      process: world.process,
      random: world.random,
      directory: dataDir,
      collect: () => this.#collect(),
    })
    this.#shared = {
      disk: world.disk,
      clock: world.clock,
      wallClock: new WallClockGuard(world.clock),
      process: world.process,
      compression: world.compression,
      logger,
      limits: all,
      tailCache: new TailCache(all.tailCacheBytes),
      syncs: new Permits(all.maxConcurrentSyncs),
      reserve: new SpaceReserve({ ...world, logger, dataDir, sizeBytes: all.reserveBytes }),
      counts,
      load: { uncommittedBytes: 0 },
      space: { full: false, leftBytes: Infinity },
      requestCheckpoint: () => this.#housekeeping.checkpointSoon(),
      checkpointNow: () => this.#checkpoints.writeNow(),
    }
    this.#housekeeping = new Housekeeping({
      shared: this.#shared,
      timers: world.timers,
      dataDir,
      logs: () => [...this.#logs.values()],
    })
  }

  async start(): Promise<void> {
    const { logs, clean, damaged } = await this.#checkpoints.load()
    if (damaged !== null) {
      const values = { event: 'checkpoint-damaged', damaged }
      this.#shared.logger.warn(values, 'the checkpoint is of no use')
    }
    for (const noted of logs) this.#noted.set(keyOf(noted.topicId, noted.partition), noted)
    this.#clean = clean
    if (!clean && logs.length > 0) {
      this.#shared.counts.isUncleanStart = true
      const values = { event: 'recovering', partitions: logs.length }
      this.#shared.logger.warn(values, 'the last stop was not clean: the logs are recovered')
    }
    await this.#housekeeping.start()
  }

  get uncommittedBytes(): number {
    return this.#shared.load.uncommittedBytes
  }

  get isDiskFull(): boolean {
    return this.#shared.space.full
  }

  all(): PartitionLog[] {
    return [...this.#logs.values()].sort((a, b) => {
      const [x, y] = [a.identity, b.identity]
      return x.topic < y.topic ? -1 : x.topic > y.topic ? 1 : x.partition - y.partition
    })
  }

  get(topicId: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(keyOf(topicId, partition))
  }

  /** @throws SluiceError KAFKA_STORAGE_ERROR, DISK_FULL; DiskError */
  async open(identity: LogIdentity, settings: LogSettings): Promise<PartitionLog> {
    const key = keyOf(identity.topicId, identity.partition)
    invariant(!this.#logs.has(key) && !this.#opening.has(key), 'a log is opened once', { key })
    this.#opening.add(key)
    try {
      return await this.#open(key, identity, settings)
    } catch (error) {
      if (error instanceof SyncFailure) return this.#die(error)
      if (!isNoSpace(error)) throw error
      const { topic, partition } = identity
      const why = `no space to open the log: ${error.path}`
      throw new SluiceError('DISK_FULL', why, { topic, partition, cause: error })
    } finally {
      this.#opening.delete(key)
    }
  }

  /** Never resolves: nothing may run on after a failed fsync (S1). */
  #die(error: SyncFailure): Promise<never> {
    this.#shared.process.die(`an fsync in ${this.#dataDir} failed`, error)
    return new Promise(() => {})
  }

  async #syncDataDir(): Promise<void> {
    try {
      await finalSync(this.#world.disk.syncDirectory(this.#dataDir))
    } catch (error) {
      if (error instanceof SyncFailure) await this.#die(error)
      throw error
    }
  }

  async #open(key: string, identity: LogIdentity, settings: LogSettings): Promise<Log> {
    const directory = this.#directoryOf(identity)
    const noted = this.#noted.get(key) ?? null
    const foundId = this.#foundTopicIds.get(directory)
    this.#foundTopicIds.delete(directory)
    const claim = { dataDir: this.#dataDir, directory, foundId, isKnown: noted !== null }
    await claimDirectory(this.#world.disk, identity, claim)
    const shared = this.#shared
    const loaded = await loadLog({
      shared,
      identity,
      directory,
      settings,
      checkpoint: noted,
      clean: this.#clean,
    })
    const log = new Log({ shared, identity, directory, settings, loaded, noted })
    this.#logs.set(key, log)
    this.#noted.delete(key)
    return log
  }

  #directoryOf({ topic, partition }: LogIdentity): string {
    return `${this.#dataDir}/${topic}-${partition}`
  }

  async delete(topicId: string, partition: number): Promise<void> {
    const key = keyOf(topicId, partition)
    const log = this.#logs.get(key)
    // First off the books, so that no tick and no checkpoint touches it any more.
    this.#logs.delete(key)
    this.#noted.delete(key)
    await log?.retire()
    const directory = log?.directory ?? (await this.#findDirectory(topicId, partition))
    if (directory !== null) await this.#rename(directory, topicId, partition)
  }

  /** The directory of a log that could not be opened: its damage must not keep the name taken. */
  async #findDirectory(topicId: string, partition: number): Promise<string | null> {
    const { disk } = this.#world
    for (const name of await disk.list(this.#dataDir)) {
      const directory = `${this.#dataDir}/${name}`
      if (parsePartitionDirectory(name)?.partition !== partition) continue
      if ((await readTopicId(disk, directory)) === topicId) return directory
    }
    return null
  }

  async findUnknown(known: ReadonlySet<string>): Promise<UnknownDirectory[]> {
    const { disk } = this.#world
    const found: UnknownDirectory[] = []
    for (const name of await disk.list(this.#dataDir)) {
      const directory = `${this.#dataDir}/${name}`
      if (name.endsWith(deletedSuffix)) this.#housekeeping.removeLater(directory)
      const parsed = parsePartitionDirectory(name)
      if (parsed === null || (await disk.stat(directory))?.isDirectory !== true) continue
      const topicId = (await readTopicId(disk, directory)) ?? ''
      if (topicId !== '') this.#foundTopicIds.set(directory, topicId)
      if (known.has(topicId)) continue
      const content = await directoryContent(disk, directory)
      found.push({ identity: { ...parsed, topicId }, directory, content })
    }
    const alive = new Set([...known, ...found.map(({ identity }) => identity.topicId)])
    this.#forgetNotes(alive)
    return found
  }

  /**
   * Notes of topics that were deleted just before a crash would stay in the checkpoint for ever.
   */
  #forgetNotes(alive: ReadonlySet<string>): void {
    for (const [key, { topicId }] of this.#noted) if (!alive.has(topicId)) this.#noted.delete(key)
  }

  async removeDirectory(directory: string): Promise<void> {
    const { partition } = parsePartitionDirectory(directory) ?? { partition: 0 }
    const topicId = (await readTopicId(this.#world.disk, directory)) ?? 'unknown'
    await this.#rename(directory, topicId, partition)
  }

  /**
   * Under a name that no topic has its files may go in any order: of a directory that lost only its
   * partition.metadata, a later start would make a topic again.
   */
  async #rename(directory: string, topicId: string, partition: number): Promise<void> {
    // Short, whatever the topic is called: a file name holds 255 bytes.
    const gone = `${this.#dataDir}/${topicId}-${partition}${deletedSuffix}`
    await this.#world.disk.removeDirectory(gone)
    await this.#world.disk.rename(directory, gone)
    await this.#syncDataDir()
    this.#housekeeping.removeLater(gone)
  }

  async #collect(): Promise<LogCheckpoint[]> {
    const logs = [...this.#logs.values()]
    await Promise.all(logs.map(log => log.maintenance.syncForCheckpoint()))
    const rows = [...this.#noted.values()]
    for (const log of this.#logs.values()) {
      const row = log.maintenance.checkpoint()
      if (row !== null) rows.push(row)
    }
    return rows
  }

  async closeCleanly(): Promise<void> {
    await this.#housekeeping.stop()
    const atOnce = this.#shared.limits.maxConcurrentSyncs
    await inParallel([...this.#logs.values()], atOnce, log => log.closeCleanly())
    try {
      await this.#checkpoints.writeNow()
      await this.#checkpoints.markClean()
    } catch (error) {
      if (!SluiceError.is(error, 'DISK_FULL') && !isNoSpace(error)) throw error
      this.#shared.logger.warn(
        { event: 'postponed' },
        'no space for a clean shutdown: the next start recovers the logs',
      )
    }
  }
}
