/**
 * Housekeeping: the timers of a data directory. Every second: free space, idle rolls, the
 * checkpoint; every retention interval: retention; every half minute: files that nobody uses are
 * closed.
 *
 * Always true: a pass begins only when the one before it has ended; an error of one log does not
 * keep the others from their turn; after `stop` nothing runs.
 * Made by log-manager.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { TimerHandle, Timers } from '../../protocol/world.ts'
import type { Log } from './log.ts'
import type { LogShared } from './shared.ts'

const closeIdleIntervalMs = 30_000

export interface HousekeepingParts {
  readonly shared: LogShared
  readonly timers: Timers
  readonly dataDir: string
  logs(): Log[]
}

export class Housekeeping {
  readonly #parts: HousekeepingParts
  #timer: TimerHandle | null = null
  #pass: Promise<void> = Promise.resolve()
  #removals: Promise<void> = Promise.resolve()
  #stopped = false
  #soon = false
  #nextRetentionMs: number
  #nextCloseIdleMs: number

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    const { clock, limits } = parts.shared
    this.#nextRetentionMs = clock.monotonicMs() + limits.retentionCheckIntervalMs
    this.#nextCloseIdleMs = clock.monotonicMs() + closeIdleIntervalMs
  }

  async start(): Promise<void> {
    await this.#checkSpace()
    await this.#keepReserve()
    this.#arm(this.#parts.shared.limits.checkpointIntervalMs)
  }

  #arm(delayMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#parts.timers.after(delayMs, () => this.#tick(), { background: true })
  }

  /** Brings the next pass forward. */
  checkpointSoon(): void {
    if (this.#soon || this.#stopped || this.#timer === null) return
    this.#soon = true
    this.#timer.cancel()
    this.#arm(0)
  }

  #tick(): void {
    this.#timer = null
    this.#pass = this.#run().finally(() => {
      this.#soon = false
      this.#arm(this.#parts.shared.limits.checkpointIntervalMs)
    })
  }

  async #run(): Promise<void> {
    const { shared } = this.#parts
    const nowMs = shared.clock.monotonicMs()
    await this.#attempt('free space', () => this.#checkSpace())
    await this.#keepReserve()
    await this.#forEach('roll', log => log.maintenance.tick())
    if (nowMs >= this.#nextRetentionMs) {
      this.#nextRetentionMs = nowMs + shared.limits.retentionCheckIntervalMs
      await this.#enforceRetention()
    }
    if (nowMs >= this.#nextCloseIdleMs) {
      this.#nextCloseIdleMs = nowMs + closeIdleIntervalMs
      await this.#forEach('close idle files', log => log.maintenance.closeIdleFiles())
    }
    if (!this.#stopped) await this.#attempt('checkpoint', () => shared.checkpointNow())
  }

  async #checkSpace(): Promise<void> {
    const { shared, dataDir } = this.#parts
    const free = await shared.disk.freeBytes(dataDir)
    shared.counts.freeBytes = free
    shared.counts.totalBytes = (await shared.disk.totalBytes?.(dataDir)) ?? -1
    const { minFreeBytes } = shared.limits
    const full = free < minFreeBytes
    if (full !== shared.space.full) {
      const event = full ? 'disk-full' : 'disk-has-room'
      const values = { event, freeBytes: free, minFreeBytes }
      if (full) shared.logger.error(values, 'the disk is full: writes are refused')
      else shared.logger.info(values, 'the disk has room again: writes go on')
    }
    shared.space.full = full
    shared.space.leftBytes = minFreeBytes > 0 ? free - minFreeBytes : Infinity
  }

  async #keepReserve(): Promise<void> {
    const { reserve, space } = this.#parts.shared
    if (!space.full) await this.#attempt('space reserve', () => reserve.keep())
  }

  async #enforceRetention(): Promise<void> {
    const { shared } = this.#parts
    const jumpMs = shared.wallClock.jumpMs()
    if (jumpMs !== 0) {
      const values = { event: 'clock-jumped', jumpMs }
      shared.logger.error(values, 'the wall clock jumped: retention waits until it holds')
      return
    }
    const nowMs = shared.clock.wallMs()
    await this.#forEach('retention', async log => {
      await log.maintenance.enforceRetention(nowMs)
    })
  }

  async #forEach(what: string, work: (log: Log) => Promise<void>): Promise<void> {
    for (const log of this.#parts.logs()) {
      if (this.#stopped) return
      await this.#attempt(what, () => work(log))
    }
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      // A full disk is the only failure that may pass; the rest has no business being swallowed.
      if (!SluiceError.is(error, 'DISK_FULL')) {
        this.#parts.shared.process.die(`housekeeping (${what}) failed`, error)
        return new Promise(() => {})
      }
      const values = { event: 'postponed', what }
      this.#parts.shared.logger.warn(values, 'postponed: the disk is full')
    }
  }

  /** Removes the files of a deleted partition, one directory after the other. */
  removeLater(directory: string): void {
    const { disk, logger } = this.#parts.shared
    this.#removals = this.#removals
      .then(() => disk.removeDirectory(directory))
      .catch(error => {
        const values = { event: 'removal-postponed', directory, error: String(error) }
        logger.warn(values, 'could not be removed yet')
      })
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#pass
    await this.#removals
  }
}
