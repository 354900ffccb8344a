/**
 * Sealer: what is owed to a segment after the next one has taken over: its indexes on disk, a
 * producer snapshot at its end, its line in the segment list. Runs behind the writes, one segment
 * after the other.
 *
 * Always true: the recovery point passes a segment only when this is done for it (S15); a full disk
 * postpones it, a failed fsync ends the process.
 * Called by log-writer.ts (roll) and log-maintenance.ts (retry, close).
 */
import { isNoSpace } from '../world/disk.ts'
import { segmentFileName } from './file-names.ts'
import type { Segment } from './segment.ts'
import { type SegmentList, writeSegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'

/** Writes the producer state as it was when the segment ended. */
export interface SealedSnapshot {
  readonly offset: number
  write(): Promise<void>
}

interface Work {
  readonly segment: Segment
  /** null where recovery owes the indexes only. */
  readonly snapshot: SealedSnapshot | null
}

export class Sealer {
  readonly #shared: LogShared
  readonly #directory: string
  readonly #segments: SegmentList
  #work: Work[] = []
  #running: Promise<void> | null = null
  #snapshots: number[] = []
  #durableEnd: () => number = () => 0

  constructor(shared: LogShared, directory: string, segments: SegmentList) {
    this.#shared = shared
    this.#directory = directory
    this.#segments = segments
  }

  /** The snapshots that are on disk, oldest first. */
  knowSnapshots(offsets: readonly number[]): void {
    this.#snapshots = [...offsets]
  }

  /** The writer tells what a power loss would leave. */
  knowDurableEnd(durableEnd: () => number): void {
    this.#durableEnd = durableEnd
  }

  /** Takes note of work without beginning it: recovery found no room for the indexes. */
  owe(segment: Segment): void {
    this.#work.push({ segment, snapshot: null })
  }

  seal(segment: Segment, snapshot: SealedSnapshot): void {
    this.#work.push({ segment, snapshot })
    this.resume()
  }

  /** Goes on after a full disk; nothing to do otherwise. */
  resume(): void {
    if (this.#work.length > 0) this.#running ??= this.#run()
  }

  get busy(): boolean {
    return this.#running !== null
  }

  /** Something is still to be done: under way, or postponed by a full disk. */
  get owes(): boolean {
    return this.#work.length > 0
  }

  /** Resolves when all is done, or postponed by a full disk. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    try {
      for (let next = this.#work[0]; next !== undefined; next = this.#work[0]) {
        await this.#finish(next)
        this.#work.shift()
      }
    } catch (error) {
      if (!isNoSpace(error)) {
        this.#shared.process.die(`sealing a segment in ${this.#directory} failed`, error)
        return new Promise(() => {})
      }
      const values = { event: 'postponed', directory: this.#directory }
      this.#shared.logger.warn(values, 'no space to seal a segment yet')
    }
    this.#running = null
  }

  async #finish({ segment, snapshot }: Work): Promise<void> {
    const isThere = this.#segments.all.includes(segment)
    if (isThere) await segment.writeIndexes(true)
    // Also for a segment that retention has taken meanwhile: nothing else says who wrote it.
    await snapshot?.write()
    // Its directory sync covers the names of the index files too.
    await writeSegmentList(this.#shared.disk, this.#directory, this.#segments)
    segment.indexesDurable = true
    if (snapshot !== null) await this.#keepSnapshots(snapshot.offset)
  }

  /**
   * Two snapshots stay, as the newest may be damaged, and one that a power loss leaves of use: it
   * takes what is above the durable end (flush=os), and then only snapshots below count (S8).
   */
  async #keepSnapshots(newest: number): Promise<void> {
    if (this.#snapshots.at(-1) !== newest) this.#snapshots.push(newest)
    while (this.#snapshots.length > 2 && (this.#snapshots[1] ?? 0) <= this.#durableEnd()) {
      const oldest = this.#snapshots.shift() ?? 0
      const path = `${this.#directory}/${segmentFileName(oldest, 'producers')}`
      await this.#shared.disk.removeFile(path)
    }
  }

  /** Writes a snapshot outside of sealing: at a clean shutdown. */
  async addSnapshot(snapshot: SealedSnapshot): Promise<void> {
    await snapshot.write()
    await this.#keepSnapshots(snapshot.offset)
  }
}
