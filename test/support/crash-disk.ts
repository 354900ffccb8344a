/**
 * Crash disk: a disk without time, on the simulator's platter, that lets a test look at the moment
 * before each call that changes something: there it can take the images that a crash would leave,
 * and go on.
 *
 * Always true: each call has its whole effect at once; nothing is durable that was not synced; a
 * failed sync loses its pages as a real one does.
 * Called by the crash tests of broker/storage.
 */
import type { Disk, DiskErrorKind, DiskFile, DiskLock } from '../../broker/world/disk.ts'
import { DiskError } from '../../broker/world/disk.ts'
import { type DiskImage, Platter, PlatterDirectory } from '../simulation/platter.ts'
import type { PlatterFile } from '../simulation/platter-file.ts'

export interface CrashOperation {
  readonly name:
    | 'create'
    | 'makeDirectory'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
    | 'write'
    | 'truncate'
    | 'sync'
  readonly path: string
  /** Of a write. */
  readonly bytes?: number
}

/** An error kind, or `short`: a write of which only the first half finds room. */
export type CrashFault = DiskErrorKind | 'short' | undefined

export class CrashDisk implements Disk {
  readonly platter = new Platter()
  /** Called before each call that changes something; answers how it fails. */
  before: ((operation: CrashOperation) => CrashFault) | undefined
  free = 2 ** 40
  openFiles = 0

  constructor(image?: DiskImage) {
    if (image !== undefined) this.platter.load(image)
  }

  /** Runs one changing call, or fails it. */
  change<T>(operation: CrashOperation, run: (short: boolean) => T, failed?: () => void): T {
    const fault = this.before?.(operation)
    if (fault === undefined || fault === 'short') return run(fault === 'short')
    failed?.()
    throw new DiskError(fault, operation.path, `${operation.path}: ${operation.name}: ${fault}`)
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile> {
    const create = () => this.platter.createFile(path)
    const file =
      mode === 'create'
        ? this.change({ name: 'create', path }, create)
        : this.platter.requireFile(path)
    this.openFiles++
    return new CrashFile(this, path, file)
  }
  async list(path: string): Promise<string[]> {
    return [...this.platter.requireDirectory(path).cached.keys()].sort()
  }
  async stat(path: string): Promise<{ size: number; isDirectory: boolean } | null> {
    const node = this.platter.find(path)
    if (node === undefined) return null
    if (node instanceof PlatterDirectory) return { size: 0, isDirectory: true }
    return { size: node.cached.length, isDirectory: false }
  }
  async makeDirectory(path: string): Promise<void> {
    if (this.platter.find(path) !== undefined) return
    this.change({ name: 'makeDirectory', path }, () => this.platter.makeDirectory(path))
  }
  async rename(from: string, to: string): Promise<void> {
    this.change({ name: 'rename', path: from }, () => this.platter.rename(from, to))
  }
  async removeFile(path: string): Promise<void> {
    if (this.platter.find(path) === undefined) return
    this.change({ name: 'remove', path }, () => this.platter.remove(path))
  }
  async removeDirectory(path: string): Promise<void> {
    await this.removeFile(path)
  }
  async syncDirectory(path: string): Promise<void> {
    const directory = this.platter.requireDirectory(path)
    this.change({ name: 'syncDirectory', path }, () => this.platter.syncDirectory(directory))
  }
  async freeBytes(): Promise<number> {
    return this.free
  }
  async lock(): Promise<DiskLock | null> {
    return { release: async () => {} }
  }
}

class CrashFile implements DiskFile {
  readonly path: string
  readonly #disk: CrashDisk
  readonly #file: PlatterFile
  #closed = false

  constructor(disk: CrashDisk, path: string, file: PlatterFile) {
    this.#disk = disk
    this.path = path
    this.#file = file
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    return this.#open.cached.read(position, length)
  }
  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    const bytes = new Uint8Array(Buffer.concat(parts))
    return this.#disk.change({ name: 'write', path: this.path, bytes: bytes.length }, short => {
      const taken = short ? bytes.subarray(0, bytes.length >> 1) : bytes
      this.#open.write(taken, position)
      return taken.length
    })
  }
  async sync(): Promise<void> {
    const file = this.#open
    const point = file.syncPoint()
    const run = () => file.synced(point)
    this.#disk.change({ name: 'sync', path: this.path }, run, () => file.syncFailed(point))
  }
  async truncate(length: number): Promise<void> {
    this.#disk.change({ name: 'truncate', path: this.path }, () => this.#open.truncate(length))
  }
  async size(): Promise<number> {
    return this.#open.cached.length
  }
  async close(): Promise<void> {
    if (!this.#closed) this.#disk.openFiles--
    this.#closed = true
  }

  get #open(): PlatterFile {
    if (this.#closed) throw new DiskError('io', this.path, `${this.path}: used after its close`)
    return this.#file
  }
}
