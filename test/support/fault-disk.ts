/**
 * Fault disk: another disk with places where a test can look or interfere.
 *
 * Always true: what no hook answers goes to the disk behind it unchanged.
 * Called by the tests of broker/storage.
 */
import type { Disk, DiskFile, DiskLock } from '../../broker/world/disk.ts'

export interface DiskHooks {
  /** Sees each file that is opened. */
  opened?(path: string): void
  /** How many of the bytes the disk takes; undefined = all. */
  takes?(path: string, bytes: number): number | undefined
  /** Thrown by syncDirectory. */
  syncDirectoryError?(path: string): Error | undefined
  /** Thrown by sync. */
  syncError?(path: string): Error | undefined
  /** Whether sync says that all is well without doing anything. */
  skipsSync?(path: string): boolean
  freeBytes?(): number
  /** What a call waits for before it happens. */
  hold?(name: 'read' | 'sync' | 'syncDirectory', path: string): Promise<void> | undefined
  closed?(path: string): void
}

export class FaultDisk implements Disk {
  readonly #inner: Disk
  readonly hooks: DiskHooks

  constructor(inner: Disk, hooks: DiskHooks) {
    this.#inner = inner
    this.hooks = hooks
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile> {
    this.hooks.opened?.(path)
    return new FaultFile(await this.#inner.open(path, mode), this.hooks)
  }
  async freeBytes(path: string): Promise<number> {
    return this.hooks.freeBytes?.() ?? this.#inner.freeBytes(path)
  }
  list(path: string): Promise<string[]> {
    return this.#inner.list(path)
  }
  stat(path: string): Promise<{ size: number; isDirectory: boolean } | null> {
    return this.#inner.stat(path)
  }
  makeDirectory(path: string): Promise<void> {
    return this.#inner.makeDirectory(path)
  }
  rename(from: string, to: string): Promise<void> {
    return this.#inner.rename(from, to)
  }
  removeFile(path: string): Promise<void> {
    return this.#inner.removeFile(path)
  }
  removeDirectory(path: string): Promise<void> {
    return this.#inner.removeDirectory(path)
  }
  async syncDirectory(path: string): Promise<void> {
    await this.hooks.hold?.('syncDirectory', path)
    const error = this.hooks.syncDirectoryError?.(path)
    if (error !== undefined) throw error
    await this.#inner.syncDirectory(path)
  }
  lock(path: string): Promise<DiskLock | null> {
    return this.#inner.lock(path)
  }
}

class FaultFile implements DiskFile {
  readonly path: string
  readonly #inner: DiskFile
  readonly #hooks: DiskHooks

  constructor(inner: DiskFile, hooks: DiskHooks) {
    this.path = inner.path
    this.#inner = inner
    this.#hooks = hooks
  }

  write(parts: readonly Uint8Array[], position: number): Promise<number> {
    const bytes = new Uint8Array(Buffer.concat(parts))
    const takes = this.#hooks.takes?.(this.path, bytes.byteLength) ?? bytes.byteLength
    return this.#inner.write([bytes.subarray(0, takes)], position)
  }
  async sync(): Promise<void> {
    await this.#hooks.hold?.('sync', this.path)
    const error = this.#hooks.syncError?.(this.path)
    if (error !== undefined) throw error
    if (this.#hooks.skipsSync?.(this.path) !== true) await this.#inner.sync()
  }
  async read(position: number, length: number): Promise<Uint8Array> {
    await this.#hooks.hold?.('read', this.path)
    return this.#inner.read(position, length)
  }
  truncate(length: number): Promise<void> {
    return this.#inner.truncate(length)
  }
  size(): Promise<number> {
    return this.#inner.size()
  }
  close(): Promise<void> {
    this.#hooks.closed?.(this.path)
    return this.#inner.close()
  }
}
