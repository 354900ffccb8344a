/**
 * Crash run: one log under a small workload, with a model beside it of what was appended, acked and
 * trimmed.
 *
 * Always true: the model is brought up to date before the disk sees the next call, so at each call
 * it says what a crash right there may and may not lose.
 * Called by the crash tests of broker/storage.
 */
import type { StorageLimits } from '../../broker/storage/shared.ts'
import type { LogSettings, PartitionLog, PartitionLogs } from '../../broker/storage/types.ts'
import type { DiskImage } from '../simulation/platter.ts'
import { CrashDisk } from './crash-disk.ts'
import { batchOf, FixtureWorld, openFixture, settle } from './storage-fixture.ts'

/** What must and may be there after a crash at one moment. */
export interface Promised {
  /** Values by offset: all that was ever appended. */
  readonly values: readonly string[]
  /** Everything below was acked. */
  readonly acked: number
  /** Everything below was acked and fsynced. */
  readonly durable: number
  /** The log start lies in this range. */
  readonly startMin: number
  readonly startMax: number
  /** Batches of producer 7, in order. */
  readonly produced: readonly Produced[]
}

export interface Produced {
  readonly sequence: number
  readonly baseOffset: number
  readonly values: readonly string[]
}

export interface RunOptions {
  readonly settings: Partial<LogSettings>
  readonly limits?: Partial<StorageLimits>
  readonly image?: DiskImage
  /** A disk that is there already, with what was never synced to it. */
  readonly disk?: CrashDisk
}

export class CrashRun {
  readonly disk: CrashDisk
  readonly fixture: FixtureWorld
  readonly options: RunOptions
  readonly #values: string[] = []
  readonly #produced: Produced[] = []
  readonly errors: string[] = []
  #acked = 0
  #startMin = 0
  #startWanted = 0
  #sequence = 0
  #log: PartitionLog | undefined
  #logs: PartitionLogs | undefined

  constructor(options: RunOptions) {
    this.options = options
    this.disk = options.disk ?? new CrashDisk(options.image ?? new Map([['data', new Map()]]))
    this.fixture = new FixtureWorld(this.disk)
  }

  async open(): Promise<void> {
    const { settings, limits = {} } = this.options
    const { log, logs } = await openFixture({ fixture: this.fixture, settings, limits })
    this.#log = log
    this.#logs = logs
  }

  get log(): PartitionLog {
    if (this.#log === undefined) throw new Error('the log is not open')
    return this.#log
  }

  get logs(): PartitionLogs {
    if (this.#logs === undefined) throw new Error('the logs are not open')
    return this.#logs
  }

  /** Appends one batch of `count` records without waiting; `idempotent` ones as producer 7. */
  append(count: number, { idempotent = false, valueBytes = 10 } = {}): void {
    const baseOffset = this.log.logEndOffset
    const values = Array.from({ length: count }, (_, i) =>
      `value ${baseOffset + i} of ${this.#values.length}`.padEnd(valueBytes, '.'),
    )
    const sequence = this.#sequence
    const batch = batchOf({
      values,
      timestamp: 1_000_000 + baseOffset * 7,
      ...(idempotent && { producer: { id: 7, sequence } }),
    })
    const { lastOffset } = this.log.appendAsLeader(batch)
    this.#values.length = baseOffset
    this.#values.push(...values)
    if (idempotent) {
      this.#produced.push({ sequence, baseOffset, values })
      this.#sequence += count
    }
    this.log.whenCommitted(lastOffset, error => this.#answered(lastOffset, sequence, error))
  }

  #answered(lastOffset: number, sequence: number, error: { code: string } | null): void {
    if (error === null) {
      this.#acked = Math.max(this.#acked, lastOffset + 1)
      return
    }
    this.errors.push(error.code)
    const lost = this.#produced.findIndex(batch => batch.sequence >= sequence)
    if (lost >= 0) this.#produced.length = lost
    this.#sequence = Math.min(this.#sequence, sequence)
  }

  async trim(before: number): Promise<void> {
    this.#startWanted = Math.max(this.#startWanted, before)
    this.#startMin = Math.max(this.#startMin, await this.log.trim(before))
  }

  async restart(): Promise<void> {
    await this.logs.closeCleanly()
    await this.open()
  }

  async tick(ms = 1000): Promise<void> {
    await this.fixture.advance(ms)
  }

  async settle(): Promise<void> {
    await settle()
  }

  promised(): Promised {
    const log = this.#log
    const start = log?.logStartOffset ?? 0
    return {
      values: [...this.#values],
      acked: this.#acked,
      durable: Math.min(this.#acked, log?.durableEndOffset ?? 0),
      startMin: this.#startMin,
      startMax: Math.max(this.#startWanted, start),
      produced: [...this.#produced],
    }
  }
}
