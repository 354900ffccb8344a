/**
 * Flat disk: what a crash has left, as a disk that forgets nothing, for the recoveries of the crash
 * lane and of the sweep. There are millions of them, so it does as little as it can.
 *
 *   files         /data/catalogue => bytes, /data/orders-0/epochs => bytes, …
 *   directories   /data, /data/orders-0
 *
 * Always true: the bytes of an image never change, whoever shares them: a write makes a copy; paths
 * are absolute and plain. It keeps the contract that all disks keep.
 * Called by examine.ts and sweep.ts.
 */
import type { Disk, DiskErrorKind, DiskFile, DiskLock } from '../../broker/world/disk.ts'
import { DiskError } from '../../broker/world/disk.ts'
import type { DiskImage } from '../simulation/platter.ts'

export interface FlatImage {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly directories: ReadonlySet<string>
}

/** Of one recovery and what is done after it; a few hundred are needed. */
export const mostDiskCalls = 20_000

const failure = (kind: DiskErrorKind, path: string): DiskError =>
  new DiskError(kind, path, `${path}: ${kind} on the flat disk`)

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

export class FlatDisk implements Disk {
  readonly #files: Map<string, { bytes: Uint8Array }>
  readonly #directories: Set<string>
  readonly #locked = new Set<string>()
  #callsLeft: number

  /** `mostCalls`: so that what never comes to an end throws instead. */
  constructor({ files, directories }: FlatImage, mostCalls = mostDiskCalls) {
    this.#callsLeft = mostCalls
    this.#files = new Map()
    for (const [path, bytes] of files) this.#files.set(path, { bytes })
    this.#directories = new Set(directories)
    this.#directories.add('/')
  }

  image(): FlatImage {
    const files = new Map<string, Uint8Array>()
    for (const [path, { bytes }] of this.#files) files.set(path, bytes)
    return { files, directories: new Set(this.#directories) }
  }

  /** Called at each call that looks at something. */
  count(): void {
    if (--this.#callsLeft < 0) throw new Error('too many calls of the disk: it never ends')
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile> {
    this.count()
    let content = this.#files.get(path)
    if (mode === 'create') {
      if (content !== undefined || this.#directories.has(path)) throw failure('exists', path)
      this.#requireDirectory(parentOf(path))
      content = { bytes: new Uint8Array(0) }
      this.#files.set(path, content)
    }
    if (content === undefined) throw failure(this.#directories.has(path) ? 'io' : 'missing', path)
    return new FlatFile({ disk: this, path, content, isReadOnly: mode === 'read' })
  }

  async list(path: string): Promise<string[]> {
    this.count()
    this.#requireDirectory(path)
    const names: string[] = []
    for (const paths of [this.#files.keys(), this.#directories]) {
      for (const inner of paths) {
        if (inner !== '/' && parentOf(inner) === path) names.push(inner.slice(path.length + 1))
      }
    }
    return names.sort()
  }

  async stat(path: string): Promise<{ size: number; isDirectory: boolean } | null> {
    this.count()
    const file = this.#files.get(path)
    if (file !== undefined) return { size: file.bytes.length, isDirectory: false }
    return this.#directories.has(path) ? { size: 0, isDirectory: true } : null
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#files.has(path)) throw failure('exists', path)
    for (let at = path; at !== '/'; at = parentOf(at)) this.#directories.add(at)
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from)
    if (file !== undefined) {
      this.#files.delete(from)
      this.#files.set(to, file)
      return
    }
    this.#requireDirectory(from)
    if (to.startsWith(`${from}/`)) throw failure('io', to)
    if (this.#directories.has(to) && (await this.list(to)).length > 0) throw failure('exists', to)
    for (const path of this.#below(from)) {
      const content = this.#files.get(path)
      const moved = to + path.slice(from.length)
      if (content === undefined) this.#directories.add(moved)
      else this.#files.set(moved, content)
      this.#forget(path)
    }
  }

  async removeFile(path: string): Promise<void> {
    if (this.#directories.has(path)) throw failure('io', path)
    this.#files.delete(path)
  }

  async removeDirectory(path: string): Promise<void> {
    for (const inner of this.#below(path)) this.#forget(inner)
  }

  #forget(path: string): void {
    this.#files.delete(path)
    this.#directories.delete(path)
  }

  #below(path: string): string[] {
    const all = [...this.#files.keys(), ...this.#directories]
    return all.filter(one => one === path || one.startsWith(`${path}/`))
  }

  async syncDirectory(path: string): Promise<void> {
    this.#requireDirectory(path)
  }

  async freeBytes(path: string): Promise<number> {
    this.#requireDirectory(path)
    return 2 ** 40
  }

  async lock(path: string): Promise<DiskLock | null> {
    if (this.#locked.has(path)) return null
    if (!this.#files.has(path)) await this.open(path, 'create')
    this.#locked.add(path)
    return {
      release: async () => {
        this.#locked.delete(path)
      },
    }
  }

  /** As the end of the process that holds them does. */
  releaseLocks(): void {
    this.#locked.clear()
  }

  #requireDirectory(path: string): void {
    if (this.#directories.has(path)) return
    throw failure(this.#files.has(path) ? 'io' : 'missing', path)
  }
}

interface FlatFileParts {
  readonly disk: FlatDisk
  readonly path: string
  readonly content: { bytes: Uint8Array }
  readonly isReadOnly: boolean
}

class FlatFile implements DiskFile {
  readonly path: string
  readonly #disk: FlatDisk
  readonly #content: { bytes: Uint8Array }
  readonly #isReadOnly: boolean
  #isClosed = false

  constructor({ disk, path, content, isReadOnly }: FlatFileParts) {
    this.#disk = disk
    this.path = path
    this.#content = content
    this.#isReadOnly = isReadOnly
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    this.#disk.count()
    if (this.#isClosed) throw failure('io', this.path)
    return this.#content.bytes.slice(position, position + length)
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    if (this.#isReadOnly) throw failure('io', this.path)
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const old = this.#content.bytes
    const bytes = new Uint8Array(Math.max(old.length, position + length))
    bytes.set(old)
    let at = position
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    this.#content.bytes = bytes
    return length
  }

  async sync(): Promise<void> {}

  async truncate(length: number): Promise<void> {
    if (this.#isReadOnly) throw failure('io', this.path)
    const bytes = new Uint8Array(length)
    bytes.set(this.#content.bytes.subarray(0, length))
    this.#content.bytes = bytes
  }

  async size(): Promise<number> {
    return this.#content.bytes.length
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }
}

/** The same disk as a tree, for a disk that can lose things again. */
export function treeOf({ files, directories }: FlatImage): DiskImage {
  const root: DiskImage = new Map()
  const directory = (path: string): DiskImage => {
    if (path === '/') return root
    const parent = directory(parentOf(path))
    const name = path.slice(path.lastIndexOf('/') + 1)
    const known = parent.get(name)
    if (known instanceof Map) return known
    const made: DiskImage = new Map()
    parent.set(name, made)
    return made
  }
  for (const path of directories) directory(path)
  for (const [path, bytes] of files) {
    directory(parentOf(path)).set(path.slice(path.lastIndexOf('/') + 1), bytes)
  }
  return root
}

export function flatImageOf(tree: DiskImage): FlatImage {
  const files = new Map<string, Uint8Array>()
  const directories = new Set<string>()
  const visit = (inner: DiskImage, path: string): void => {
    for (const [name, content] of inner) {
      if (!(content instanceof Map)) files.set(`${path}/${name}`, content)
      else {
        directories.add(`${path}/${name}`)
        visit(content, `${path}/${name}`)
      }
    }
  }
  visit(tree, '')
  return { files, directories }
}
