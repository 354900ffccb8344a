/**
 * NodeDisk: the real Disk, on Node's callback `fs`; the only file that touches `node:fs`.
 *
 * Always true: a write is carried on after every short count until the disk says that it is full,
 * so the rest of the broker meets a short write in that one case only; nothing is retried after a
 * failed sync; every rejection is a DiskError that names the path.
 * Made once in the composition root.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'
import type { Disk, DiskErrorKind, DiskFile, DiskLock } from './disk.ts'
import { DiskError } from './disk.ts'
import { flockDescriptor, givenUpClaim, holdingClaim, newClaim } from './process-lock.ts'
import { writeFully } from './write-fully.ts'

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void

/** Linux moves at most 2^31 - 4096 bytes per call; larger reads and writes go in steps of this. */
const maxStepBytes = 2 ** 30
const flags = { read: 'r', update: 'r+', create: 'wx+' } as const

const kinds: Readonly<Record<string, DiskErrorKind>> = {
  ENOENT: 'missing',
  EEXIST: 'exists',
  ENOTEMPTY: 'exists',
  ENOSPC: 'noSpace',
  EDQUOT: 'noSpace',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
}

export class NodeDisk implements Disk {
  readonly #flockProgram: string

  /** `flockProgram` is for the test of what happens where flock(1) is missing. */
  constructor(options: { readonly flockProgram?: string } = {}) {
    this.#flockProgram = options.flockProgram ?? 'flock'
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<DiskFile> {
    const descriptor = await call<number>(path, done => fs.open(path, flags[mode], 0o644, done))
    return new NodeFile(path, descriptor)
  }

  async list(path: string): Promise<string[]> {
    return (await call<string[]>(path, done => fs.readdir(path, done))).sort()
  }

  async stat(path: string): Promise<{ size: number; isDirectory: boolean } | null> {
    try {
      const found = await call<fs.Stats>(path, done => fs.stat(path, done))
      return { size: found.isDirectory() ? 0 : found.size, isDirectory: found.isDirectory() }
    } catch (error) {
      if (isNothingThere(error)) return null
      throw error
    }
  }

  /**
   * Level by level: Node's own recursive mkdir spins for ever where a parent exists and yet says
   * ENOENT, as /proc does.
   */
  async makeDirectory(path: string): Promise<void> {
    try {
      await callVoid(path, done => fs.mkdir(path, done))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (error.kind === 'exists' && (await this.stat(path))?.isDirectory === true) return
      const parent = dirname(path)
      if (error.kind !== 'missing' || parent === path) throw error
      if ((await this.stat(parent)) !== null) throw error
      await this.makeDirectory(parent)
      await this.makeDirectory(path)
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await callVoid(from, done => fs.rename(from, to, done))
  }

  async removeFile(path: string): Promise<void> {
    try {
      await callVoid(path, done => fs.unlink(path, done))
    } catch (error) {
      if (!isNothingThere(error)) throw error
    }
  }

  async removeDirectory(path: string): Promise<void> {
    await callVoid(path, done => fs.rm(path, { recursive: true, force: true }, done))
  }

  async syncDirectory(path: string): Promise<void> {
    const descriptor = await call<number>(path, done => fs.open(path, 'r', done))
    try {
      await callVoid(path, done => fs.fsync(descriptor, done))
    } finally {
      await callVoid(path, done => fs.close(descriptor, done))
    }
  }

  async freeBytes(path: string): Promise<number> {
    const found = await call<fs.StatsFs>(path, done => fs.statfs(path, done))
    return found.bavail * found.bsize
  }

  async totalBytes(path: string): Promise<number> {
    const found = await call<fs.StatsFs>(path, done => fs.statfs(path, done))
    return found.blocks * found.bsize
  }

  /**
   * Holds flock(2) on the file where flock(1) is there: the lock then belongs to the machine's
   * file, not to a process id, and holds between containers. Elsewhere the file says who holds it.
   * The file is never removed: a lock on a removed file would exclude nobody.
   */
  async lock(path: string): Promise<DiskLock | null> {
    const descriptor = await call<number>(path, done => fs.open(path, openForClaims, 0o644, done))
    try {
      const claim = newClaim(readText)
      const locked = flockDescriptor(path, descriptor, this.#flockProgram)
      if (locked === true) {
        fs.ftruncateSync(descriptor, 0)
        fs.writeSync(descriptor, claim)
      }
      if (locked ?? this.#holdsByClaim(path, descriptor, claim))
        return new NodeLock(path, descriptor, claim)
    } catch (error) {
      fs.closeSync(descriptor)
      throw asDiskError(path, error)
    }
    await closeDescriptor(path, descriptor)
    return null
  }

  #holdsByClaim(path: string, descriptor: number, claim: string): boolean {
    fs.writeSync(descriptor, claim)
    if (holdingClaim(fs.readFileSync(path, 'latin1'), readText) === claim) return true
    fs.writeSync(descriptor, givenUpClaim(claim))
    return false
  }
}

const openForClaims = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_APPEND

class NodeFile implements DiskFile {
  readonly path: string
  readonly #descriptor: number
  #closed = false

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    // A Buffer's slice() is a view, a Uint8Array's a copy: callers get the plain type. Not zeroed,
    // not pooled.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
    let done = 0
    while (done < length) {
      const step = Math.min(length - done, maxStepBytes)
      const at = done
      const count = await call<number>(this.path, callback =>
        fs.read(this.#descriptor, bytes, at, step, position + at, callback),
      )
      if (count === 0) break
      done += count
    }
    return done === length ? bytes : bytes.subarray(0, done)
  }

  write(parts: readonly Uint8Array[], position: number): Promise<number> {
    return writeFully(this.path, parts, (rest, written) =>
      this.#writeOnce(rest, position + written),
    )
  }

  async sync(): Promise<void> {
    await callVoid(this.path, done => fs.fdatasync(this.#descriptor, done))
  }

  async truncate(length: number): Promise<void> {
    await callVoid(this.path, done => fs.ftruncate(this.#descriptor, length, done))
  }

  async size(): Promise<number> {
    return (await call<fs.Stats>(this.path, done => fs.fstat(this.#descriptor, done))).size
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await closeDescriptor(this.path, this.#descriptor)
  }

  #writeOnce(parts: readonly Uint8Array[], position: number): Promise<number> {
    const [only, second] = parts
    if (only !== undefined && second === undefined) {
      const step = Math.min(only.length, maxStepBytes)
      return call<number>(this.path, done =>
        fs.write(this.#descriptor, only, 0, step, position, done),
      )
    }
    return call<number>(this.path, done => fs.writev(this.#descriptor, parts, position, done))
  }
}

class NodeLock implements DiskLock {
  readonly #path: string
  readonly #claim: string
  #descriptor: number | undefined

  constructor(path: string, descriptor: number, claim: string) {
    this.#path = path
    this.#descriptor = descriptor
    this.#claim = claim
  }

  async release(): Promise<void> {
    const descriptor = this.#descriptor
    if (descriptor === undefined) return
    this.#descriptor = undefined
    fs.writeSync(descriptor, givenUpClaim(this.#claim))
    await closeDescriptor(this.#path, descriptor)
  }
}

function call<T>(path: string, start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      start((error, value) => (error ? reject(asDiskError(path, error)) : resolve(value)))
    } catch (error) {
      reject(asDiskError(path, error))
    }
  })
}

function callVoid(path: string, start: (done: fs.NoParamCallback) => void): Promise<void> {
  return call<void>(path, done => start(error => done(error, undefined)))
}

function closeDescriptor(path: string, descriptor: number): Promise<void> {
  return callVoid(path, done => fs.close(descriptor, done))
}

function asDiskError(path: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  return new DiskError(kinds[code] ?? 'io', path, `${path}: ${message}`, error)
}

/** A parent that is a file holds nothing either. */
function isNothingThere(error: unknown): boolean {
  if (!(error instanceof DiskError)) return false
  return error.kind === 'missing' || (error.cause as NodeJS.ErrnoException)?.code === 'ENOTDIR'
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
