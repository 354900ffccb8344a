/**
 * Epoch cache: which leader epoch began at which offset. On disk twice: in `epochs`, a checked
 * file, and for Kafka's tools and from Kafka's brokers in leader-epoch-checkpoint, which has no
 * checksum and is believed only where the other is missing or damaged.
 *
 *   0            version                        leader-epoch-checkpoint
 *   2            number of entries
 *   0 0          epoch, first offset
 *   3 1200
 *
 * Always true: epochs and start offsets grow; an entry is on disk before a batch of its epoch is
 * acked (S12).
 * Called by log.ts (append, fetch validation) and recovery.
 */
import type { Disk } from '../world/disk.ts'
import { readCheckedFile, readWholeFile, replaceFile, writeCheckedFile } from './checked-file.ts'
import { epochCheckpointName, epochsName, kindAt } from './file-names.ts'
import { listOf, type StoredShape, tupleOf, whole } from './stored-shape.ts'

/** Batches hold an epoch in 32 bits with a sign, and there must be room for the next one. */
export const maxEpoch = 2 ** 31 - 1

const version = 1
const epoch: StoredShape = value => whole(value) && Number(value) < maxEpoch
const shape = { version, fits: listOf(tupleOf(epoch, whole)) }
const at = (directory: string) => ({
  directory,
  name: epochsName,
  kind: kindAt('epochs', directory, epochsName),
  shape,
})

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

export class EpochCache {
  #entries: EpochEntry[]

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [...entries]
  }

  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** Takes in that records of `epoch` begin at `startOffset`; says whether that was news. */
  maybeAssign(epoch: number, startOffset: number): boolean {
    if (epoch <= this.latestEpoch) return false
    this.#entries = this.#entries.filter(entry => entry.startOffset < startOffset)
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /** Epoch of the record at `offset`; null below the first entry. */
  epochAt(offset: number): number | null {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch ?? null
  }

  /**
   * Kafka's endOffsetFor: highest known epoch not above `epoch`, and the offset where the next one
   * begins.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } | null {
    const at = this.#entries.findLastIndex(entry => entry.epoch <= epoch)
    const entry = this.#entries[at]
    if (entry === undefined) return null
    return { epoch: entry.epoch, endOffset: this.#entries[at + 1]?.startOffset ?? logEndOffset }
  }

  /** Forgets epochs that begin at or after a cut. */
  cutEnd(endOffset: number): void {
    this.#entries = this.#entries.filter(entry => entry.startOffset < endOffset)
  }

  /** Durable when it resolves. */
  async write(disk: Disk, directory: string): Promise<void> {
    // The second of the two syncs the directory for both.
    await this.#writeForKafka(disk, directory)
    const rows = this.#entries.map(entry => [entry.epoch, entry.startOffset])
    await writeCheckedFile(disk, at(directory), version, rows)
  }

  async #writeForKafka(disk: Disk, directory: string): Promise<void> {
    const lines = this.#entries.map(entry => `${entry.epoch} ${entry.startOffset}\n`)
    const text = `0\n${lines.length}\n${lines.join('')}`
    const bytes = new TextEncoder().encode(text)
    await replaceFile(disk, { directory, name: epochCheckpointName }, bytes, false)
  }

  /** Missing or malformed files count as empty: recovery fills in what the log itself says. */
  static async read(disk: Disk, directory: string): Promise<EpochCache> {
    const read = await readCheckedFile(disk, at(directory))
    if (read.state !== 'ok' || read.version !== version) return readFromKafka(disk, directory)
    const rows = read.value as [number, number][]
    return new EpochCache(rows.map(([epoch, startOffset]) => ({ epoch, startOffset })))
  }
}

async function readFromKafka(disk: Disk, directory: string): Promise<EpochCache> {
  const bytes = await readWholeFile(disk, `${directory}/${epochCheckpointName}`)
  const lines = new TextDecoder().decode(bytes ?? new Uint8Array(0)).split('\n')
  const cache = new EpochCache()
  // A cut file could end within a number, and read as an epoch that began elsewhere.
  if (lines.length !== Number(lines[1] ?? 0) + 3 || lines.at(-1) !== '') return cache
  for (const line of lines.slice(2, -1)) {
    const match = /^(\d+) (\d+)$/.exec(line)
    const [epoch, startOffset] = [Number(match?.[1]), Number(match?.[2])]
    if (!(epoch < maxEpoch && Number.isSafeInteger(startOffset))) return new EpochCache()
    cache.maybeAssign(epoch, startOffset)
  }
  return cache
}
