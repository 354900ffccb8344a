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

import { temporarySuffix } from '../../broker/storage/checked-file.ts'
import type { DiskTree, Platter } from '../simulation/platter.ts'
import { PlatterFile } from '../simulation/platter-file.ts'
import { type PendingPiece, sectorBytes } from '../simulation/power-loss.ts'
import { SimRandom } from '../simulation/sim-random.ts'
import type { FlatImage } from './flat-disk.ts'
import { hash } from './hash.ts'

export interface Loss {
  readonly key: string
  build(): FlatImage
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

/** Nobody reads a file by this name; what is in it is left out where `readsTemporary` is false. */
const isTemporary = (path: string): boolean => path.endsWith(temporarySuffix)

const absent: Content = { hash: '', bytes: new Uint8Array(0) }

const nothing: Contents = {
  distinct: [absent],
  combinations: 1,
  isComplete: true,
}

export class LossFinder {
  readonly #readsTemporary: boolean
  /** What a file may hold changes only when it is written, cut or synced. */
  readonly #remembered = new WeakMap<PlatterFile, Remembered>()

  constructor(readsTemporary: boolean) {
    this.#readsTemporary = readsTemporary
  }

  /** `most`: of one moment; a nested crash looks at fewer. */
  at(platter: Platter, most: number): Losses {
    const { subsets, isComplete } = subsetsOf(platter.pending().changes.length)
    const found = new Map<string, Loss>()
    const trees = new Set<string>()
    let combinations = 0
    let complete = isComplete
    for (const keep of subsets) {
      const tree = platter.filesAfterPowerLoss(keep)
      const { files, directories } = listOf(tree)
      const names = files.map(({ path, file }) => `${path}=${file.id}`)
      const name = [...directories, ...names].join(' ')
      const all = files.map(one => this.#contentsOf(one))
      const product = all.reduce((count, contents) => count * contents.combinations, 1)
      combinations += product
      if (trees.has(name)) continue
      trees.add(name)
      complete &&= all.every(contents => contents.isComplete)
      complete = addImages({ directories, files, all, most }, found) && complete
    }
    return { losses: [...found.values()], combinations, isComplete: complete }
  }

  #contentsOf({ path, file }: Named): Contents {
    if (!this.#readsTemporary && isTemporary(path)) return nothing
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

interface Listed {
  readonly files: Named[]
  readonly directories: string[]
}

/** Both sorted by path. */
function listOf(tree: DiskTree<PlatterFile>): Listed {
  const listed: Listed = { files: [], directories: [] }
  const visit = (inner: DiskTree<PlatterFile>, path: string): void => {
    for (const [name, content] of inner) {
      const at = `${path}/${name}`
      if (content instanceof PlatterFile) listed.files.push({ path: at, file: content })
      else {
        listed.directories.push(at)
        visit(content, at)
      }
    }
  }
  visit(tree, '')
  listed.files.sort((a, b) => (a.path < b.path ? -1 : 1))
  listed.directories.sort()
  return listed
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
  readonly directories: readonly string[]
  readonly files: readonly Named[]
  readonly all: readonly Contents[]
  readonly most: number
}

/** Adds one image for each combination of contents; says whether that were all. */
function addImages({ directories, files, all, most }: Combined, found: Map<string, Loss>): boolean {
  const counts = all.map(contents => contents.distinct.length)
  const head = directories.join(' ')
  const add = (choice: readonly number[]): void => {
    const chosen = files.map((_, at) => all[at]?.distinct[choice[at] ?? 0] ?? absent)
    let text = head
    for (const [at, { path }] of files.entries()) text += ` ${path} ${chosen[at]?.hash}`
    const key = hash(text)
    if (found.has(key)) return
    const build = () => ({
      files: new Map(files.map(({ path }, at) => [path, (chosen[at] ?? absent).bytes])),
      directories: new Set(directories),
    })
    found.set(key, { key, build })
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

/** The key of the loss that leaves this; content of files that `leftOut` names does not count. */
export function keyOf(
  { files, directories }: FlatImage,
  leftOut: (path: string) => boolean = () => false,
): string {
  let text = [...directories].sort().join(' ')
  for (const path of [...files.keys()].sort()) {
    const content = files.get(path)
    text += ` ${path} ${content === undefined || leftOut(path) ? '' : hash(content)}`
  }
  return hash(text)
}
