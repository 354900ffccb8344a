/**
 * Losses: all that a power loss at one moment may leave of a disk.
 *
 *   entries    each subset of the creations, renames and removals that no directory sync covers
 *   contents   of each file each subset of its unsynced pieces, the last one whole or torn at each
 *              sector; the file as long as that, or as long as it was, filled with zeros or with
 *              what the blocks held before
 *
 * Always true: the same moment gives the same losses in the same order, each named by the hash of
 * its names and contents; equal ones come once. Up to `maxPendingBits` pending changes every
 * combination is there; beyond them, and where one moment would have more than `most`, the
 * prefixes, each change alone undone, and drawn ones.
 * Called by explore.ts.
 */

import type { DiskImage, DiskTree, Platter } from '../simulation/platter.ts'
import { PlatterFile } from '../simulation/platter-file.ts'
import { type PendingPiece, sectorBytes } from '../simulation/power-loss.ts'
import { SimRandom } from '../simulation/sim-random.ts'
import { hash } from './hash.ts'

export interface Loss {
  readonly key: string
  build(): DiskImage
}

export interface Losses {
  readonly losses: readonly Loss[]
  /** Combinations that were looked at, equal ones counted each time. */
  readonly combinations: number
  readonly isComplete: boolean
}

const maxPendingBits = 10
const drawnSubsets = 24
const stale = new SimRandom(7).stream('stale blocks').bytes(512)

/** Every subset of `count` changes, or where those are too many the telling ones. */
function subsetsOf(count: number): { subsets: boolean[][]; isComplete: boolean } {
  const all = (keep: (index: number) => boolean) =>
    Array.from({ length: count }, (_, at) => keep(at))
  if (count <= maxPendingBits) {
    const masks = Array.from({ length: 2 ** count }, (_, mask) => mask)
    return { subsets: masks.map(mask => all(at => ((mask >> at) & 1) === 1)), isComplete: true }
  }
  const numbers = Array.from({ length: count + 1 }, (_, at) => at)
  const random = new SimRandom(count).stream('subsets')
  const subsets = [
    ...numbers.map(prefix => all(at => at < prefix)),
    ...numbers.map(undone => all(at => at !== undone)),
    ...Array.from({ length: drawnSubsets }, () => all(() => random.chance(0.5))),
  ]
  return { subsets, isComplete: false }
}

interface Content {
  readonly hash: string
  readonly bytes: Uint8Array
}

interface Contents {
  readonly distinct: readonly Content[]
  readonly combinations: number
  readonly isComplete: boolean
}

interface Remembered {
  readonly pieces: readonly PendingPiece[]
  readonly order: number
  readonly contents: Contents
}

export class LossFinder {
  /** What a file may hold changes only when it is written, cut or synced. */
  readonly #remembered = new WeakMap<PlatterFile, Remembered>()

  /** `most`: of one moment; a nested crash looks at fewer. */
  at(platter: Platter, most: number): Losses {
    const { subsets, isComplete } = subsetsOf(platter.pending().changes.length)
    const found = new Map<string, Loss>()
    const trees = new Set<string>()
    let combinations = 0
    let complete = isComplete
    for (const keep of subsets) {
      const tree = platter.filesAfterPowerLoss(keep)
      const files = filesOf(tree)
      const name = files.map(({ path, file }) => `${path}=${file.id}`).join(' ')
      const all = files.map(({ file }) => this.#contentsOf(file))
      const product = all.reduce((count, contents) => count * contents.combinations, 1)
      combinations += product
      if (trees.has(name)) continue
      trees.add(name)
      complete &&= all.every(contents => contents.isComplete)
      complete = addImages({ tree, files, all, most }, found) && complete
    }
    return { losses: [...found.values()], combinations, isComplete: complete }
  }

  #contentsOf(file: PlatterFile): Contents {
    const { order } = file.syncPoint()
    const known = this.#remembered.get(file)
    if (known !== undefined && known.pieces === file.pieces && known.order === order) {
      return known.contents
    }
    const contents = contentsOf(file)
    this.#remembered.set(file, { pieces: file.pieces, order, contents })
    return contents
  }
}

interface Named {
  readonly path: string
  readonly file: PlatterFile
}

function filesOf(tree: DiskTree<PlatterFile>, path = ''): Named[] {
  return [...tree.keys()].sort().flatMap(name => {
    const inner = tree.get(name)
    const at = `${path}/${name}`
    if (inner instanceof PlatterFile) return [{ path: at, file: inner }]
    return inner === undefined ? [] : [...filesOf(inner, at)]
  })
}

function contentsOf(file: PlatterFile): Contents {
  const { pieces } = file
  const { subsets, isComplete } = subsetsOf(pieces.length)
  const distinct = new Map<string, Content>()
  let combinations = 0
  const add = (bytes: Uint8Array): void => {
    combinations++
    const name = hash(bytes)
    if (!distinct.has(name)) distinct.set(name, { hash: name, bytes })
  }
  for (const keep of subsets) {
    for (const torn of [undefined, ...tearsOf(pieces, keep)]) {
      const loss = { keep, ...(torn !== undefined && { torn }) }
      add(file.afterPowerLoss({ ...loss, grown: false }))
      if (pieces.length === 0) continue
      add(file.afterPowerLoss({ ...loss, grown: true }))
      add(file.afterPowerLoss({ ...loss, grown: true, stale }))
    }
  }
  return { distinct: [...distinct.values()], combinations, isComplete }
}

/** The last piece that survives, cut at each border of a sector that it crosses. */
function tearsOf(
  pieces: readonly PendingPiece[],
  keep: readonly boolean[],
): { piece: number; sectors: number }[] {
  const piece = keep.lastIndexOf(true)
  const last = pieces[piece]
  if (last === undefined || last.kind !== 'data') return []
  const first = Math.floor(last.position / sectorBytes)
  const sectors = Math.floor((last.position + last.length - 1) / sectorBytes) - first
  return Array.from({ length: sectors }, (_, at) => ({ piece, sectors: at + 1 }))
}

interface Combined {
  readonly tree: DiskTree<PlatterFile>
  readonly files: readonly Named[]
  readonly all: readonly Contents[]
  readonly most: number
}

/** Adds one image for each combination of contents; says whether that were all. */
function addImages({ tree, files, all, most }: Combined, found: Map<string, Loss>): boolean {
  const counts = all.map(contents => contents.distinct.length)
  const add = (choice: readonly number[]): void => {
    const chosen = new Map<PlatterFile, Content>()
    let text = directoriesOf(tree)
    for (const [at, { path, file }] of files.entries()) {
      const content = all[at]?.distinct[choice[at] ?? 0]
      if (content === undefined) throw new Error('no such content')
      chosen.set(file, content)
      text += ` ${path} ${content.hash}`
    }
    const key = hash(text)
    if (!found.has(key)) found.set(key, { key, build: () => imageOf(tree, chosen) })
  }
  const product = counts.reduce((count, one) => count * one, 1)
  if (product <= most) {
    for (let number = 0; number < product; number++) add(digits(number, counts))
    return true
  }
  const first = counts.map(() => 0)
  const last = counts.map(count => count - 1)
  for (const [at, count] of counts.entries()) {
    for (let one = 0; one < count; one++) {
      add(first.with(at, one))
      add(last.with(at, one))
    }
  }
  const random = new SimRandom(product % 2 ** 50).stream('contents')
  for (let n = 0; n < most / 4; n++) add(counts.map(count => random.below(count)))
  return false
}

/** `number` written in digits of these bases. */
function digits(number: number, bases: readonly number[]): number[] {
  let left = number
  return bases.map(base => {
    const digit = left % base
    left = Math.floor(left / base)
    return digit
  })
}

/** An empty directory is a difference, too. */
function directoriesOf(tree: DiskTree<unknown>, path = ''): string {
  let text = ''
  for (const name of [...tree.keys()].sort()) {
    const inner = tree.get(name)
    if (!(inner instanceof Map)) continue
    text += inner.size === 0 ? ` ${path}/${name}` : directoriesOf(inner, `${path}/${name}`)
  }
  return text
}

function imageOf(
  tree: DiskTree<PlatterFile>,
  chosen: ReadonlyMap<PlatterFile, Content>,
): DiskImage {
  const image: DiskImage = new Map()
  for (const [name, inner] of tree) {
    if (inner instanceof Map) image.set(name, imageOf(inner, chosen))
    else image.set(name, chosen.get(inner)?.bytes ?? new Uint8Array(0))
  }
  return image
}

/** The key of the loss that leaves this. */
export function keyOf(image: DiskImage): string {
  let text = directoriesOf(image)
  const visit = (inner: DiskImage, path: string): void => {
    for (const name of [...inner.keys()].sort()) {
      const content = inner.get(name)
      if (content instanceof Map) visit(content, `${path}/${name}`)
      else if (content !== undefined) text += ` ${path}/${name} ${hash(content)}`
    }
  }
  visit(image, '')
  return hash(text)
}
