/**
 * PlatterFile: the content of one simulated file twice, as the page cache has it and as the platter
 * has it.
 *
 *   cached   what every read of a living machine sees
 *   pieces   the changes between the two, oldest first, cut at page borders
 *   durable  what is there after a power loss that keeps none of the pieces
 *
 * Always true: without a failed sync, durable plus all pieces in order equals cached. A failed sync
 * drops its pieces but not what readers see, as ext4, XFS and Btrfs do: later syncs succeed and the
 * bytes are not there. A page that had never been on the platter stays lost when it is written
 * again, as on ext4, until the file is cut below it.
 * Called by platter.ts and sim-disk-door.ts.
 */
import { GrowableBytes } from '../../broker/world/growable-bytes.ts'
import type { FileLoss, PendingPiece } from './power-loss.ts'
import { pageBytes, sectorBytes } from './power-loss.ts'

interface Piece extends PendingPiece {
  readonly bytes: Uint8Array
  readonly order: number
}

/** What a sync that starts now will make durable. */
export interface SyncPoint {
  readonly order: number
  readonly length: number
}

/**
 * Beyond this the kernel writes back by itself; here it bounds what a run without syncs remembers.
 */
const maxPendingBytes = 64 * 1024 * 1024

export class PlatterFile {
  readonly id: number
  readonly cached = new GrowableBytes()
  readonly durable = new GrowableBytes()
  #pieces: Piece[] = []
  #pendingBytes = 0
  #order = 0
  /** Numbers of pages that are lost for good. */
  readonly #lost = new Set<number>()

  /** `id` is unique on its platter. */
  constructor(id: number) {
    this.id = id
  }

  /** A file whose content is durable. */
  static of(id: number, content: Uint8Array): PlatterFile {
    const file = new PlatterFile(id)
    file.cached.write(content, 0)
    file.durable.write(content, 0)
    return file
  }

  get pieces(): readonly PendingPiece[] {
    return this.#pieces
  }

  /** Takes `bytes` over: they must not change afterwards. */
  write(bytes: Uint8Array, position: number): void {
    this.cached.write(bytes, position)
    let at = 0
    while (at < bytes.length) {
      const start = position + at
      const length = Math.min(bytes.length - at, pageBytes - (start % pageBytes))
      const piece = { kind: 'data', position: start, length } as const
      const part = bytes.subarray(at, at + length)
      at += length
      if (this.#lost.has(pageOf(piece))) continue
      this.#pieces.push({ ...piece, bytes: part, order: this.#order++ })
    }
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes > maxPendingBytes) this.#writeBack()
  }

  truncate(length: number): void {
    this.cached.truncate(length)
    for (const page of this.#lost) if (page * pageBytes >= length) this.#lost.delete(page)
    const piece = { kind: 'length', position: length, length: 0 } as const
    this.#pieces.push({ ...piece, bytes: new Uint8Array(0), order: this.#order++ })
  }

  syncPoint(): SyncPoint {
    return { order: this.#order, length: this.cached.length }
  }

  /** The end of a sync that began at `point`. */
  synced(point: SyncPoint): void {
    const kept: Piece[] = []
    for (const piece of this.#pieces) {
      if (piece.order < point.order) apply(this.durable, piece, piece.length)
      else kept.push(piece)
    }
    // Pages lost by an earlier failed sync leave a hole: the size is right, the bytes are zeros.
    if (this.durable.length < point.length) this.durable.truncate(point.length)
    this.#keep(kept)
  }

  /** The end of a sync that failed: its pages count as clean and will never be written. */
  syncFailed(point: SyncPoint): void {
    const isKept = (piece: Piece) => piece.kind === 'length' || piece.order >= point.order
    for (const piece of this.#pieces) {
      const page = pageOf(piece)
      if (!isKept(piece) && page * pageBytes >= this.durable.length) this.#lost.add(page)
    }
    this.#keep(this.#pieces.filter(isKept))
  }

  /** The content after a power loss; this file stays as it is. */
  afterPowerLoss(loss: FileLoss): Uint8Array {
    const left = new GrowableBytes()
    left.write(this.durable.read(0, this.durable.length), 0)
    if (loss.grown && loss.stale !== undefined) this.#fill(left, loss.stale)
    this.#pieces.forEach((piece, index) => {
      if (loss.keep[index] !== true) return
      if (loss.torn?.piece !== index) apply(left, piece, piece.length)
      else apply(left, piece, tornLength(piece, loss.torn.sectors))
    })
    if (loss.grown && left.length < this.cached.length) left.truncate(this.cached.length)
    return left.read(0, left.length)
  }

  #fill(left: GrowableBytes, stale: Uint8Array): void {
    for (let at = left.length; at < this.cached.length; at = left.length) {
      left.write(stale.subarray(0, this.cached.length - at), at)
    }
  }

  #writeBack(): void {
    const half = this.#pieces.length >> 1
    for (const piece of this.#pieces.slice(0, half)) apply(this.durable, piece, piece.length)
    this.#keep(this.#pieces.slice(half))
  }

  #keep(pieces: Piece[]): void {
    this.#pieces = pieces
    this.#pendingBytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  }
}

const pageOf = ({ position }: PendingPiece): number => Math.floor(position / pageBytes)

function apply(content: GrowableBytes, piece: Piece, length: number): void {
  if (piece.kind === 'length') content.truncate(piece.position)
  else content.write(piece.bytes.subarray(0, length), piece.position)
}

/** Bytes of a piece in the first `sectors` sectors that it touches. */
function tornLength(piece: Piece, sectors: number): number {
  const end = (Math.floor(piece.position / sectorBytes) + sectors) * sectorBytes
  return Math.max(0, Math.min(piece.length, end - piece.position))
}
