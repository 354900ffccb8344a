/**
 * MemoryDisk: a Disk whose files live in this object: for unit tests and for the broker of
 * `sluice/testing`.
 *
 * Always true: it behaves as node-disk.ts does (one contract test runs on both), but for two
 * things: nothing is ever lost, so sync means nothing, and every promise is already settled, so no
 * call waits for more than a microtask. A relative path starts at `/`, which always exists; any
 * other directory has to be made first.
 * Called by tests and broker/testing/; the simulator has its own disk with power loss.
 */
import type { Disk, DiskErrorKind, DiskFile, DiskLock } from './disk.ts'
import { DiskError } from './disk.ts'
import { pathParts, resolvedPath } from './disk-path.ts'
import { GrowableBytes } from './growable-bytes.ts'

type Directory = Map<string, Entry>
type Entry = Directory | GrowableBytes

export interface MemoryDiskOptions {
  /** Bytes of all files together, above which writes come back short; default 1 TiB. */
  readonly capacityBytes?: number
}

const messages: Record<DiskErrorKind, string> = {
  missing: 'no such file or directory',
  exists: 'it exists already',
  noSpace: 'no space left on the memory disk',
  denied: 'permission denied',
  io: 'not a file or directory that allows this',
}

export class MemoryDisk implements Disk {
  readonly #root: Directory = new Map()
  readonly #locked = new Set<Entry>()
  readonly #room: Room

  constructor(options: MemoryDiskOptions = {}) {
    this.#room = { capacityBytes: options.capacityBytes ?? 2 ** 40, usedBytes: 0 }
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile> {
    const { parent, name } = this.#place(path)
    let content = parent.get(name)
    if (mode === 'create') {
      if (content !== undefined) throw failure('exists', path)
      content = new GrowableBytes()
      parent.set(name, content)
    }
    if (content === undefined) throw failure('missing', path)
    if (content instanceof Map) throw failure('io', path)
    return new MemoryFile(path, content, mode === 'read', this.#room)
  }

  async list(path: string): Promise<string[]> {
    return [...this.#requireDirectory(path).keys()].sort()
  }

  async stat(path: string): Promise<{ size: number; isDirectory: boolean } | null> {
    const entry = this.#find(path)
    if (entry === undefined) return null
    if (entry instanceof Map) return { size: 0, isDirectory: true }
    return { size: entry.length, isDirectory: false }
  }

  async makeDirectory(path: string): Promise<void> {
    let directory = this.#root
    for (const name of pathParts(path)) {
      let next = directory.get(name)
      if (next === undefined) {
        next = new Map()
        directory.set(name, next)
      }
      if (!(next instanceof Map)) throw failure('exists', path)
      directory = next
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.#place(from)
    const target = this.#place(to)
    const entry = source.parent.get(source.name)
    if (entry === undefined) throw failure('missing', from)
    const replaced = target.parent.get(target.name)
    if (replaced === entry) return
    if (`${resolvedPath(to)}/`.startsWith(`${resolvedPath(from)}/`)) throw failure('io', to)
    if (replaced !== undefined) this.#requireReplaceable(entry, replaced, to)
    source.parent.delete(source.name)
    target.parent.set(target.name, entry)
    if (replaced !== undefined) this.#forget(replaced)
  }

  async removeFile(path: string): Promise<void> {
    const entry = this.#find(path)
    if (entry === undefined) return
    if (entry instanceof Map) throw failure('io', path)
    const { parent, name } = this.#place(path)
    parent.delete(name)
    this.#forget(entry)
  }

  async removeDirectory(path: string): Promise<void> {
    const entry = this.#find(path)
    if (entry === undefined) return
    const { parent, name } = this.#place(path)
    parent.delete(name)
    this.#forget(entry)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#requireDirectory(path)
  }

  async freeBytes(path: string): Promise<number> {
    if (this.#find(path) === undefined) throw failure('missing', path)
    return Math.max(0, this.#room.capacityBytes - this.#room.usedBytes)
  }

  async totalBytes(): Promise<number> {
    return this.#room.capacityBytes
  }

  async lock(path: string): Promise<DiskLock | null> {
    const { parent, name } = this.#place(path)
    const entry = parent.get(name) ?? new GrowableBytes()
    parent.set(name, entry)
    if (this.#locked.has(entry)) return null
    this.#locked.add(entry)
    return {
      release: async () => {
        this.#locked.delete(entry)
      },
    }
  }

  /** Frees every lock, as the end of the process that holds them does on a real disk. */
  releaseLocks(): void {
    this.#locked.clear()
  }

  #find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root
    for (const name of pathParts(path)) {
      if (!(entry instanceof Map)) return undefined
      entry = entry.get(name)
    }
    return entry
  }

  #requireDirectory(path: string): Directory {
    const entry = this.#find(path)
    if (entry === undefined) throw failure('missing', path)
    if (!(entry instanceof Map)) throw failure('io', path)
    return entry
  }

  /** Where an entry is or would be. */
  #place(path: string): { parent: Directory; name: string } {
    const parts = pathParts(path)
    const name = parts.pop()
    if (name === undefined) throw failure('io', path)
    const parent = this.#find(parts.join('/'))
    if (parent === undefined) throw failure('missing', path)
    if (!(parent instanceof Map)) throw failure('io', path)
    return { parent, name }
  }

  #requireReplaceable(entry: Entry, replaced: Entry, to: string): void {
    if (entry instanceof Map !== replaced instanceof Map) throw failure('io', to)
    if (replaced instanceof Map && replaced.size > 0) throw failure('exists', to)
  }

  #forget(entry: Entry): void {
    if (entry instanceof Map) for (const inner of entry.values()) this.#forget(inner)
    else this.#room.usedBytes -= entry.length
  }
}

/** What the files of one disk share. */
interface Room {
  readonly capacityBytes: number
  usedBytes: number
}

class MemoryFile implements DiskFile {
  readonly path: string
  readonly #content: GrowableBytes
  readonly #readOnly: boolean
  readonly #room: Room
  #closed = false

  constructor(path: string, content: GrowableBytes, readOnly: boolean, room: Room) {
    this.path = path
    this.#content = content
    this.#readOnly = readOnly
    this.#room = room
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    this.#requireOpen()
    return this.#content.read(position, length)
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    this.#requireWritable()
    let at = position
    for (const part of parts) {
      const room = this.#content.length + this.#room.capacityBytes - this.#room.usedBytes
      const fits = Math.min(part.length, Math.max(0, room - at))
      this.#resizing(() => this.#content.write(part.subarray(0, fits), at))
      at += fits
      if (fits < part.length) break
    }
    if (at === position && parts.some(part => part.length > 0)) throw failure('noSpace', this.path)
    return at - position
  }

  async sync(): Promise<void> {
    this.#requireOpen()
  }

  async truncate(length: number): Promise<void> {
    this.#requireWritable()
    this.#resizing(() => this.#content.truncate(length))
  }

  async size(): Promise<number> {
    this.#requireOpen()
    return this.#content.length
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #resizing(change: () => void): void {
    const before = this.#content.length
    change()
    this.#room.usedBytes += this.#content.length - before
  }

  #requireOpen(): void {
    if (this.#closed) throw new DiskError('io', this.path, `${this.path}: the file is closed`)
  }

  #requireWritable(): void {
    this.#requireOpen()
    if (this.#readOnly) throw failure('io', this.path)
  }
}

function failure(kind: DiskErrorKind, path: string): DiskError {
  return new DiskError(kind, path, `${path}: ${messages[kind]}`)
}
