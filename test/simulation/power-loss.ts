/**
 * Power loss: which of the changes that were never synced survive when the machine loses its power.
 *
 *   entry changes   create, rename, remove: each done or undone, unless its directory was synced
 *   file content    pieces of at most one 4 KiB page, oldest first: any subset may survive
 *
 * Always true: a plan only chooses among outcomes that a real disk may show; what was synced is not
 * asked about. A run draws plans from its seed; a crash test gives them one by one and so tries all
 * of them.
 */
import type { SimRandom } from './sim-random.ts'

export const pageBytes = 4096
export const sectorBytes = 512

/** A change of one page, or a cut or extension of the file to `position`. */
export interface PendingPiece {
  readonly kind: 'data' | 'length'
  readonly position: number
  /** 0 for a change of length. */
  readonly length: number
}

export interface PendingFile {
  readonly id: number
  /** One that it has or had; renames change it, not the id. */
  readonly path: string
  readonly pieces: readonly PendingPiece[]
}

export interface PendingEntryChange {
  readonly kind: 'create' | 'rename' | 'remove'
  readonly path: string
  /** The new path of a rename. */
  readonly to?: string
}

/** All that a power loss now would have to decide about. */
export interface PendingLoss {
  readonly changes: readonly PendingEntryChange[]
  readonly files: readonly PendingFile[]
}

/** What survives of one file's pieces. */
export interface FileLoss {
  /** One for each piece. */
  readonly keep: readonly boolean[]
  /** One piece of which only the first `sectors` sectors survive, instead of all or nothing. */
  readonly torn?: { readonly piece: number; readonly sectors: number }
  /** The file has its full new length all the same; what did not survive reads as zeros, */
  readonly grown: boolean
  /** or as these bytes over and over: what the blocks held before. */
  readonly stale?: Uint8Array
}

export interface PowerLossPlan {
  /** One answer for each change, in order. */
  keepEntries(changes: readonly PendingEntryChange[]): readonly boolean[]
  loseFile(file: PendingFile): FileLoss
}

/** The gentlest and the hardest loss there are. */
export const keepEverything: PowerLossPlan = {
  keepEntries: changes => changes.map(() => true),
  loseFile: file => ({ keep: file.pieces.map(() => true), grown: false }),
}
export const loseEverything: PowerLossPlan = {
  keepEntries: changes => changes.map(() => false),
  loseFile: file => ({ keep: file.pieces.map(() => false), grown: false }),
}

/**
 * A plan drawn from a run's seed: for the entries and for each file one of the ways to lose things.
 */
export function drawnPlan(random: SimRandom): PowerLossPlan {
  return {
    keepEntries: changes => drawnKeep(random, changes.length),
    loseFile: file => {
      const keep = drawnKeep(random, file.pieces.length)
      const piece = keep.lastIndexOf(true)
      const grown = random.chance(0.25)
      if (piece < 0 || file.pieces[piece]?.kind !== 'data' || random.chance(0.7)) {
        return { keep, grown }
      }
      return { keep, grown, torn: { piece, sectors: random.below(pageBytes / sectorBytes) } }
    },
  }
}

/** More would never come to an end. */
const maxBits = 24

/**
 * Every plan there is: each subset of entry changes and pieces, each with the files grown and not.
 * Torn pieces are left to the caller. @throws RangeError where more than 24 changes are pending
 */
export function* everyPlan({ changes, files }: PendingLoss): Generator<PowerLossPlan> {
  const starts = new Map<number, number>()
  let bits = changes.length
  for (const { id, pieces } of files) {
    starts.set(id, bits)
    bits += pieces.length
  }
  if (bits > maxBits) throw new RangeError(`${bits} changes are pending, at most ${maxBits} work`)
  const keep = (mask: number, start: number, count: number): boolean[] =>
    Array.from({ length: count }, (_, index) => ((mask >> (start + index)) & 1) === 1)
  for (let mask = 0; mask < 2 ** bits; mask++) {
    for (const grown of files.length === 0 ? [false] : [false, true]) {
      yield {
        keepEntries: () => keep(mask, 0, changes.length),
        loseFile: file => ({
          keep: keep(mask, starts.get(file.id) ?? 0, file.pieces.length),
          grown,
        }),
      }
    }
  }
}

/** All, none, a prefix, or any subset. */
function drawnKeep(random: SimRandom, count: number): boolean[] {
  const way = random.pick(['all', 'none', 'prefix', 'prefix', 'subset', 'subset'] as const)
  const prefix = random.below(count + 1)
  return Array.from({ length: count }, (_, index) => {
    if (way === 'all') return true
    if (way === 'none') return false
    return way === 'prefix' ? index < prefix : random.chance(0.5)
  })
}
