/**
 * Space reserve: a file of nothing, kept so that a broker which starts on a disk that is full to
 * the last byte has the room that recovery needs to be safe.
 *
 *   disk has room ── keep ──> <dataDir>/space-reserve ── borrow: removed ──> room for one recovery
 *
 * Always true: it is given up for recovery only, to one at a time, while nobody else tries for the
 * same room; it is made again when the disk has room. Its bytes are random, so that a file system
 * that compresses has to store them.
 * Kept by housekeeping.ts, borrowed by doubtful-tail.ts. (CockroachDB calls it a ballast.)
 */
import type { Random } from '../../protocol/world.ts'
import { type Disk, isNoSpace } from '../world/disk.ts'
import type { Logger } from '../world/logger.ts'
import { replaceFile, temporarySuffix } from './checked-file.ts'
import { Permits } from './permits.ts'

export interface SpaceReserveParts {
  readonly disk: Disk
  readonly random: Random
  readonly logger: Pick<Logger, 'warn'>
  readonly dataDir: string
  /** 0 = none is kept. */
  readonly sizeBytes: number
}

const fileName = 'space-reserve'
const nothing = () => {}

export class SpaceReserve {
  readonly #parts: SpaceReserveParts
  readonly #turn = new Permits(1)
  readonly #sharing = new Set<Promise<unknown>>()
  #borrowers = 0
  #isKept = false

  constructor(parts: SpaceReserveParts) {
    this.#parts = parts
  }

  /** Makes it where it is missing and finds room. @throws SyncFailure; DiskError */
  async keep(): Promise<void> {
    const { disk, dataDir, sizeBytes } = this.#parts
    if (this.#isKept || sizeBytes === 0) return
    const found = await disk.stat(`${dataDir}/${fileName}`)
    this.#isKept = found?.size === sizeBytes || (await this.#make())
  }

  async #make(): Promise<boolean> {
    const { disk, random, dataDir, sizeBytes } = this.#parts
    if ((await disk.freeBytes(dataDir)) < sizeBytes) return false
    try {
      await replaceFile(disk, { directory: dataDir, name: fileName }, random.bytes(sizeBytes))
      return true
    } catch (error) {
      if (!isNoSpace(error)) throw error
      await disk.removeFile(`${dataDir}/${fileName}${temporarySuffix}`)
      return false
    }
  }

  /** Does `work`, which needs room for a moment, when no borrower is about. */
  share<T>(work: () => Promise<T>): Promise<T> {
    if (this.#borrowers > 0) return this.#turn.run(work)
    const done = work()
    const settled = done.then(nothing, nothing)
    this.#sharing.add(settled)
    void settled.then(() => this.#sharing.delete(settled))
    return done
  }

  /**
   * Does `work`, which found no room before, with the room of the reserve, where there is one; what
   * it gives back becomes the reserve again before anybody else writes.
   */
  async borrow<T>(work: () => Promise<T>): Promise<T> {
    this.#borrowers++
    try {
      return await this.#turn.run(async () => {
        await Promise.all(this.#sharing)
        await this.#giveUp()
        const done = await work()
        if (this.#borrowers === 1) await this.keep()
        return done
      })
    } finally {
      this.#borrowers--
    }
  }

  async #giveUp(): Promise<void> {
    const { disk, dataDir, logger } = this.#parts
    const path = `${dataDir}/${fileName}`
    this.#isKept = false
    if ((await disk.stat(path)) === null) return
    await disk.removeFile(path)
    logger.warn({ event: 'reserve-used', dataDir }, 'the disk is full: recovery uses the reserve')
  }
}
