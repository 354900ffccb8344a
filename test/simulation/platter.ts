/**
 * Platter: the directories and files of one simulated machine, in the page cache and on the
 * platter.
 *
 * Always true: a directory's entries are apart from the content of what they name: a file may be
 * synced and yet be gone after a power loss, because its directory was not. A rename is done or
 * undone as a whole. What a path names is decided by the cached entries alone until `load` puts an
 * image in their place.
 * Called by sim-disk.ts and sim-disk-door.ts.
 */
import type { DiskErrorKind } from '../../broker/world/disk.ts'
import { DiskError } from '../../broker/world/disk.ts'
import { pathParts, resolvedPath } from '../../broker/world/disk-path.ts'
import { PlatterFile } from './platter-file.ts'
import type { PendingEntryChange, PendingFile, PendingLoss, PowerLossPlan } from './power-loss.ts'

/** What a disk holds, by name. */
export type DiskTree<T> = Map<string, T | DiskTree<T>>
export type DiskImage = DiskTree<Uint8Array>

export class PlatterDirectory {
  readonly cached = new Map<string, PlatterNode>()
  readonly durable = new Map<string, PlatterNode>()
}
export type PlatterNode = PlatterFile | PlatterDirectory

interface Place {
  readonly directory: PlatterDirectory
  readonly name: string
}

interface EntryChange extends PendingEntryChange {
  readonly node: PlatterNode
  /** Where the entry goes away, and where it comes to be; a rename has both. */
  readonly off?: Place
  readonly on?: Place
  /** Directories whose sync is still missing. */
  readonly unsynced: Set<PlatterDirectory>
}

type Entries = (directory: PlatterDirectory) => Map<string, PlatterNode>

export class Platter {
  #root = new PlatterDirectory()
  #changes: EntryChange[] = []
  #nextId = 0

  find(path: string): PlatterNode | undefined {
    let node: PlatterNode | undefined = this.#root
    for (const name of pathParts(path)) {
      if (!(node instanceof PlatterDirectory)) return undefined
      node = node.cached.get(name)
    }
    return node
  }

  requireDirectory(path: string): PlatterDirectory {
    const node = this.find(path)
    if (node === undefined) throw failure('missing', path)
    if (!(node instanceof PlatterDirectory)) throw failure('io', path)
    return node
  }

  requireFile(path: string): PlatterFile {
    this.#place(path)
    const node = this.find(path)
    if (node === undefined) throw failure('missing', path)
    if (node instanceof PlatterDirectory) throw failure('io', path)
    return node
  }

  createFile(path: string): PlatterFile {
    const on = this.#place(path)
    if (on.directory.cached.has(on.name)) throw failure('exists', path)
    const node = new PlatterFile(this.#nextId++)
    this.#change({ kind: 'create', path, node, on })
    return node
  }

  makeDirectory(path: string): void {
    const parts = pathParts(path)
    for (let depth = 1; depth <= parts.length; depth++) {
      const at = `/${parts.slice(0, depth).join('/')}`
      const node = this.find(at)
      if (node instanceof PlatterFile) throw failure('exists', path)
      if (node !== undefined) continue
      const made = new PlatterDirectory()
      this.#change({ kind: 'create', path: at, node: made, on: this.#place(at) })
    }
  }

  /** Returns the node that was replaced, which is no longer reachable. */
  rename(from: string, to: string): PlatterNode | undefined {
    const off = this.#place(from)
    const on = this.#place(to)
    const node = off.directory.cached.get(off.name)
    if (node === undefined) throw failure('missing', from)
    const replaced = on.directory.cached.get(on.name)
    if (replaced === node) return undefined
    if (`${resolvedPath(to)}/`.startsWith(`${resolvedPath(from)}/`)) throw failure('io', to)
    if (replaced !== undefined) requireReplaceable(node, replaced, to)
    this.#change({ kind: 'rename', path: from, to, node, off, on })
    return replaced
  }

  /** Removes a file or a whole directory, inner entries first; returns the files removed. */
  remove(path: string): PlatterFile[] {
    const node = this.find(path)
    if (node === undefined) return []
    const files = node instanceof PlatterFile ? [node] : []
    if (node instanceof PlatterDirectory) {
      for (const name of [...node.cached.keys()].sort())
        files.push(...this.remove(`${path}/${name}`))
    }
    this.#change({ kind: 'remove', path, node, off: this.#place(path) })
    return files
  }

  syncDirectory(directory: PlatterDirectory): void {
    this.#changes = this.#changes.filter(change => {
      change.unsynced.delete(directory)
      if (change.unsynced.size > 0) return true
      applyEntry(change, durableEntries)
      return false
    })
  }

  /** What a power loss would have to decide about, in the order in which a plan is asked. */
  pending(): PendingLoss {
    const files: PendingFile[] = []
    const seen = new Set<PlatterNode>()
    const visit = (node: PlatterNode, path: string): void => {
      if (seen.has(node)) return
      seen.add(node)
      if (node instanceof PlatterFile) {
        if (node.pieces.length > 0) files.push({ id: node.id, path, pieces: node.pieces })
        return
      }
      for (const entries of [node.cached, node.durable]) {
        for (const [name, inner] of entries) visit(inner, `${path}/${name}`)
      }
    }
    visit(this.#root, '')
    return { changes: this.#changes, files }
  }

  /** What the machine sees now: the disk after the death of every process. */
  cachedImage(): DiskImage {
    return imageOf(
      this.#root,
      directory => directory.cached,
      file => contentOf(file),
    )
  }

  /** What the machine would find after a power loss that goes by `plan`. Changes nothing. */
  imageAfterPowerLoss(plan: PowerLossPlan): DiskImage {
    return this.#afterPowerLoss(plan.keepEntries(this.#changes), (file, path) =>
      file.afterPowerLoss(plan.loseFile({ id: file.id, path, pieces: file.pieces })),
    )
  }

  /** Which files have which names after a power loss that keeps these of the pending changes. */
  filesAfterPowerLoss(keep: readonly boolean[]): DiskTree<PlatterFile> {
    return this.#afterPowerLoss(keep, file => file)
  }

  #afterPowerLoss<T>(
    keep: readonly boolean[],
    content: (file: PlatterFile, path: string) => T,
  ): DiskTree<T> {
    const overlay = new Map<PlatterDirectory, Map<string, PlatterNode>>()
    const entries: Entries = directory => {
      const known = overlay.get(directory) ?? new Map(directory.durable)
      overlay.set(directory, known)
      return known
    }
    this.#changes.forEach((change, index) => {
      if (keep[index] === true) applyEntry(change, entries)
    })
    return imageOf(this.#root, entries, content)
  }

  /** Replaces everything by `image`, all of it durable. */
  load(image: DiskImage): void {
    this.#root = loaded(image, () => this.#nextId++)
    this.#changes = []
  }

  #change(change: Omit<EntryChange, 'unsynced'>): void {
    const directories = [change.off?.directory, change.on?.directory]
    const unsynced = new Set(directories.filter(directory => directory !== undefined))
    const full = { ...change, unsynced }
    applyEntry(full, directory => directory.cached)
    this.#changes.push(full)
  }

  #place(path: string): Place {
    const parts = pathParts(path)
    const name = parts.pop()
    if (name === undefined) throw failure('io', path)
    const directory = this.find(parts.join('/'))
    if (directory === undefined) throw failure('missing', path)
    if (!(directory instanceof PlatterDirectory)) throw failure('io', path)
    return { directory, name }
  }
}

const durableEntries: Entries = directory => directory.durable

/**
 * Does a change to one view of the entries, be it that earlier changes of the same node were
 * undone.
 */
function applyEntry(change: EntryChange, entries: Entries): void {
  const { node, off, on } = change
  if (off !== undefined) {
    const from = entries(off.directory)
    if (from.get(off.name) === node) from.delete(off.name)
    else if (on !== undefined) forgetNode(from, node)
  }
  if (on !== undefined) entries(on.directory).set(on.name, node)
}

/** A node has one name: renamed twice with the first one undone, it must not keep its oldest. */
function forgetNode(entries: Map<string, PlatterNode>, node: PlatterNode): void {
  for (const [name, other] of entries) if (other === node) entries.delete(name)
}

function imageOf<T>(
  directory: PlatterDirectory,
  entries: Entries,
  content: (file: PlatterFile, path: string) => T,
  path = '',
): DiskTree<T> {
  const image: DiskTree<T> = new Map()
  for (const [name, node] of entries(directory)) {
    const inner = `${path}/${name}`
    if (node instanceof PlatterFile) image.set(name, content(node, inner))
    else image.set(name, imageOf(node, entries, content, inner))
  }
  return image
}

function loaded(image: DiskImage, nextId: () => number): PlatterDirectory {
  const directory = new PlatterDirectory()
  for (const [name, inner] of image) {
    const node = inner instanceof Map ? loaded(inner, nextId) : PlatterFile.of(nextId(), inner)
    directory.cached.set(name, node)
    directory.durable.set(name, node)
  }
  return directory
}

function contentOf(file: PlatterFile): Uint8Array {
  return file.cached.read(0, file.cached.length)
}

function requireReplaceable(node: PlatterNode, replaced: PlatterNode, to: string): void {
  const isDirectory = replaced instanceof PlatterDirectory
  if (node instanceof PlatterDirectory !== isDirectory) throw failure('io', to)
  if (isDirectory && replaced.cached.size > 0) throw failure('exists', to)
}

function failure(kind: DiskErrorKind, path: string): DiskError {
  return new DiskError(kind, path, `${path}: ${kind} on the simulated disk`)
}
