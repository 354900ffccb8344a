/**
 * SimDiskDoor: the Disk that one process of a simulated machine sees.
 *
 * Always true: it obeys the contract of broker/world/disk.ts (the test that the real disk passes
 * runs on it), and is stricter where a real disk is silent: a part that changes during its write,
 * or a file that is closed with calls under way, fails the run.
 * Made by sim-world.ts for each generation.
 */
import type { Disk, DiskFile, DiskLock } from '../../broker/world/disk.ts'
import { DiskError } from '../../broker/world/disk.ts'
import type { Generation } from './generation.ts'
import { isJoined, joined } from './joined.ts'
import { PlatterDirectory } from './platter.ts'
import { PlatterFile } from './platter-file.ts'
import type { DiskEffect, DiskOperation, SimDisk } from './sim-disk.ts'

export class SimDiskDoor implements Disk {
  readonly #disk: SimDisk
  readonly #generation: Generation
  /** Files of this machine that have no name any more: their bytes are free. */
  readonly #nameless: WeakSet<PlatterFile> = new WeakSet()

  constructor(disk: SimDisk, generation: Generation) {
    this.#disk = disk
    this.#generation = generation
  }

  open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile> {
    return this.#perform('open', path, () => {
      const { platter } = this.#disk
      const file = mode === 'create' ? platter.createFile(path) : platter.requireFile(path)
      const options = { disk: this.#disk, generation: this.#generation, path, file }
      return new SimFile({ ...options, readOnly: mode === 'read', nameless: this.#nameless })
    })
  }

  list(path: string): Promise<string[]> {
    return this.#perform('list', path, () =>
      [...this.#disk.platter.requireDirectory(path).cached.keys()].sort(),
    )
  }

  stat(path: string): Promise<{ size: number; isDirectory: boolean } | null> {
    return this.#perform('stat', path, () => {
      const node = this.#disk.platter.find(path)
      if (node === undefined) return null
      if (node instanceof PlatterDirectory) return { size: 0, isDirectory: true }
      return { size: node.cached.length, isDirectory: false }
    })
  }

  makeDirectory(path: string): Promise<void> {
    return this.#perform('makeDirectory', path, () => this.#disk.platter.makeDirectory(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#perform('rename', from, () => {
      const replaced = this.#disk.platter.rename(from, to)
      if (replaced instanceof PlatterFile) this.#forget([replaced])
    })
  }

  removeFile(path: string): Promise<void> {
    return this.#perform('remove', path, () => {
      const { platter } = this.#disk
      if (platter.find(path) instanceof PlatterDirectory) {
        throw new DiskError('io', path, `${path}: is a directory`)
      }
      this.#forget(platter.remove(path))
    })
  }

  removeDirectory(path: string): Promise<void> {
    return this.#perform('remove', path, () => this.#forget(this.#disk.platter.remove(path)))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#perform('syncDirectory', path, () => {
      const { platter } = this.#disk
      platter.syncDirectory(platter.requireDirectory(path))
    })
  }

  freeBytes(path: string): Promise<number> {
    return this.#perform('freeBytes', path, () => {
      if (this.#disk.platter.find(path) === undefined) {
        throw new DiskError('missing', path, `${path}: missing on the simulated disk`)
      }
      return Math.max(0, this.#disk.capacityBytes - this.#disk.usedBytes)
    })
  }

  lock(path: string): Promise<DiskLock | null> {
    return this.#perform('lock', path, () => {
      const { platter, locks } = this.#disk
      const found = platter.find(path)
      const file = found instanceof PlatterFile ? found : platter.createFile(path)
      if (locks.get(file)?.alive === true) return null
      locks.set(file, this.#generation)
      const release = async (): Promise<void> => {
        if (this.#generation.alive && locks.get(file) === this.#generation) locks.delete(file)
      }
      return { release }
    })
  }

  #forget(files: readonly PlatterFile[]): void {
    for (const file of files) {
      this.#disk.usedBytes -= file.cached.length
      this.#nameless.add(file)
    }
  }

  #perform<T>(name: DiskOperation['name'], path: string, run: () => T): Promise<T> {
    return this.#disk.perform(this.#generation, { operation: { name, path, bytes: 0 }, run })
  }
}

interface SimFileOptions {
  readonly disk: SimDisk
  readonly generation: Generation
  readonly path: string
  readonly file: PlatterFile
  readonly readOnly: boolean
  readonly nameless: WeakSet<PlatterFile>
}

class SimFile implements DiskFile {
  readonly path: string
  readonly #options: SimFileOptions
  #closed = false
  #underWay = 0

  constructor(options: SimFileOptions) {
    this.path = options.path
    this.#options = options
  }

  read(position: number, length: number): Promise<Uint8Array> {
    const operation = this.#operation('read', length)
    return this.#perform({ operation, run: () => this.#file.cached.read(position, length) })
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    const bytes = joined(parts)
    const write = (length: number): void => {
      const fitting = bytes.subarray(0, length)
      this.#resizing(() => this.#file.write(fitting, position))
    }
    const written = await this.#perform({
      operation: this.#operation('write', bytes.length),
      run: () => {
        this.#requireWritable()
        const length = this.#fitting(position, bytes.length)
        write(length)
        return length
      },
      failed: error => {
        if (error === 'io') write(this.#disk.random.below(bytes.length + 1))
      },
    })
    if (!isJoined(bytes, parts)) {
      this.#disk.misused(`${this.path}: the bytes of a write changed before it ended`)
    }
    return written
  }

  sync(): Promise<void> {
    const point = this.#file.syncPoint()
    return this.#perform({
      operation: this.#operation('sync', 0),
      run: () => this.#file.synced(point),
      failed: () => this.#file.syncFailed(point),
    })
  }

  truncate(length: number): Promise<void> {
    return this.#perform({
      operation: this.#operation('truncate', 0),
      run: () => {
        this.#requireWritable()
        this.#resizing(() => this.#file.truncate(length))
      },
    })
  }

  size(): Promise<number> {
    const operation = this.#operation('size', 0)
    return this.#perform({ operation, run: () => this.#file.cached.length })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    if (this.#underWay > 0 && this.#options.generation.alive) {
      this.#disk.misused(`${this.path}: closed with ${this.#underWay} calls under way`)
    }
    this.#closed = true
  }

  get #file(): PlatterFile {
    return this.#options.file
  }

  get #disk(): SimDisk {
    return this.#options.disk
  }

  async #perform<T>(effect: DiskEffect<T>): Promise<T> {
    if (this.#closed) throw new DiskError('io', this.path, `${this.path}: the file is closed`)
    this.#underWay++
    try {
      return await this.#disk.perform(this.#options.generation, effect)
    } finally {
      this.#underWay--
    }
  }

  #operation(name: DiskOperation['name'], bytes: number): DiskOperation {
    return { name, path: this.path, bytes }
  }

  /** How much of a write finds room. @throws DiskError noSpace where none of it does */
  #fitting(position: number, length: number): number {
    const room = this.#file.cached.length + this.#disk.capacityBytes - this.#disk.usedBytes
    const fits = Math.min(length, Math.max(0, room - position))
    if (fits < length) this.#disk.shortOfRoom++
    if (fits === 0 && length > 0) {
      throw new DiskError('noSpace', this.path, `${this.path}: the simulated disk is full`)
    }
    return fits
  }

  #resizing(change: () => void): void {
    const before = this.#file.cached.length
    change()
    if (this.#options.nameless.has(this.#file)) return
    this.#disk.usedBytes += this.#file.cached.length - before
  }

  #requireWritable(): void {
    if (!this.#options.readOnly) return
    throw new DiskError('io', this.path, `${this.path}: opened for reading only`)
  }
}
