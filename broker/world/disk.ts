/**
 * Disk: the files of one machine, with the durability of each call spelled out. Storage logic sees
 * only this; node-disk.ts is the real one, memory-disk.ts serves tests and `sluice/testing`, and
 * the simulator adds power loss and failing hardware.
 *
 *   write ──> page cache ── sync ──> platter        create/rename/remove ── syncDirectory(parent) ──> platter
 *   process death keeps the page cache; power loss keeps only what was synced.
 *
 * Always true: a path is absolute or relative to the process, `/`-separated; a failed call rejects
 * with DiskError. Called by storage/, metadata/ and the composition root.
 */

/**
 * `missing` no such file or directory · `exists` already there · `noSpace` disk or quota full ·
 * `denied` permission or read-only file system · `io` the hardware failed (EIO) or anything not
 * named here.
 */
export type DiskErrorKind = 'missing' | 'exists' | 'noSpace' | 'denied' | 'io'

export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly kind: DiskErrorKind
  readonly path: string

  constructor(kind: DiskErrorKind, path: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.path = path
  }
}

/** A full disk or quota: the one failure that may pass by itself. */
export function isNoSpace(error: unknown): error is DiskError {
  return error instanceof DiskError && error.kind === 'noSpace'
}

export interface DiskFile {
  readonly path: string
  /**
   * Reads up to `length` bytes at `position`; fewer only at the end of the file. The result is
   * fresh memory.
   */
  read(position: number, length: number): Promise<Uint8Array>
  /**
   * Writes `parts` one after the other at `position` and returns the bytes written, which is less
   * than asked only when the disk is full (a short write carries no error; the next write would say
   * noSpace). In the page cache when it resolves; the parts must not change before.
   */
  write(parts: readonly Uint8Array[], position: number): Promise<number>
  /**
   * fdatasync: content and size are on the platter when it resolves. A failure is never to be
   * retried.
   */
  sync(): Promise<void>
  /** Cuts (or zero-extends) to `length`; durable only after `sync`. */
  truncate(length: number): Promise<void>
  size(): Promise<number>
  /** Idempotent. The caller makes sure that no call is under way. */
  close(): Promise<void>
}

export interface DiskLock {
  release(): Promise<void>
}

export interface Disk {
  /**
   * `read`: must exist · `update`: read and write, must exist · `create`: read and write, must not
   * exist.
   */
  open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile>
  /** Names in a directory, sorted. */
  list(path: string): Promise<string[]>
  /** `null` where nothing is there. */
  stat(path: string): Promise<{ size: number; isDirectory: boolean } | null>
  /** Creates missing parents too; fine if it exists. */
  makeDirectory(path: string): Promise<void>
  /** Replaces `to` if it exists. Durable after syncDirectory of both parents. */
  rename(from: string, to: string): Promise<void>
  /** Fine if it is already gone. */
  removeFile(path: string): Promise<void>
  /** With all that is in it; fine if it is already gone. */
  removeDirectory(path: string): Promise<void>
  /** fsync of a directory: its entries are on the platter when it resolves. */
  syncDirectory(path: string): Promise<void>
  /** Bytes that this process may still write on the file system of `path`. */
  freeBytes(path: string): Promise<number>
  /** Size of the file system of `path`, where the disk can say. */
  totalBytes?(path: string): Promise<number>
  /**
   * Takes the exclusive lock file at `path` (created if missing), held until released or until the
   * process is gone in whatever way; `null` if somebody else holds it.
   */
  lock(path: string): Promise<DiskLock | null>
}
