/**
 * SimDisk: the disk of one simulated machine: its platter, how long each call takes, and what goes
 * wrong.
 *
 * Always true: it outlives the processes of the machine; a call of a dead process is never
 * answered, and whether it still took effect is drawn, since a call under way at the crash may have
 * been half way through. Nothing is durable before the sync that was asked for has ended.
 * Made by sim-world.ts; processes reach it through sim-disk-door.ts; scenarios set its faults.
 */
import type { DiskErrorKind } from '../../broker/world/disk.ts'
import { DiskError } from '../../broker/world/disk.ts'
import type { Generation } from './generation.ts'
import type { DiskImage } from './platter.ts'
import { Platter } from './platter.ts'
import type { PlatterFile } from './platter-file.ts'
import type { PowerLossPlan } from './power-loss.ts'
import { drawnPlan } from './power-loss.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimRandom } from './sim-random.ts'

export interface DiskOperation {
  readonly name:
    | 'open'
    | 'list'
    | 'stat'
    | 'makeDirectory'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
    | 'freeBytes'
    | 'lock'
    | 'read'
    | 'write'
    | 'sync'
    | 'truncate'
    | 'size'
    | 'close'
  readonly path: string
  readonly bytes: number
}

/** It fails; it takes so much longer; it never ends. */
export type DiskFault = { readonly error: DiskErrorKind } | { readonly delayMs: number } | 'hang'

export interface DiskLatency {
  /** Means of exponential distributions. */
  operationMs: number
  syncMs: number
  /** On top, for what is read or written. */
  bytesPerMs: number
}

export interface SimDiskOptions {
  readonly scheduler: Scheduler
  readonly name: string
  readonly capacityBytes?: number
}

/** What a call does when it comes to its end, and when it fails by a fault. */
export interface DiskEffect<T> {
  readonly operation: DiskOperation
  run(): T
  failed?(error: DiskErrorKind): void
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

export class SimDisk {
  readonly name: string
  readonly platter = new Platter()
  readonly locks = new Map<PlatterFile, Generation>()
  readonly random: SimRandom
  readonly latency: DiskLatency = { operationMs: 0.02, syncMs: 0.3, bytesPerMs: 1_000_000 }
  /** Asked before each call; undefined = it goes well. */
  fault: ((operation: DiskOperation) => DiskFault | undefined) | undefined
  capacityBytes: number
  /** Of all files that have a name. */
  usedBytes = 0
  /** Writes that did not find all the room they needed. */
  shortOfRoom = 0
  readonly #scheduler: Scheduler

  constructor(options: SimDiskOptions) {
    this.#scheduler = options.scheduler
    this.name = options.name
    this.capacityBytes = options.capacityBytes ?? 2 ** 40
    this.random = options.scheduler.random.stream(`disk/${options.name}`)
  }

  /** The power fails: what was not synced goes by `plan`, which is drawn where none is given. */
  powerLoss(plan: PowerLossPlan = drawnPlan(this.random)): void {
    this.load(this.platter.imageAfterPowerLoss(plan))
  }

  /** Puts a whole content in place, all of it durable. */
  load(image: DiskImage): void {
    this.platter.load(image)
    this.locks.clear()
    this.usedBytes = sizeOf(image)
  }

  /**
   * Runs a call of a process: takes its time, draws its fault, answers unless the process is dead.
   */
  perform<T>(generation: Generation, effect: DiskEffect<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!generation.alive) return
      const { operation } = effect
      const fault = this.fault?.(operation)
      if (fault === 'hang') return
      const extraMs = fault !== undefined && 'delayMs' in fault ? fault.delayMs : 0
      const error = fault !== undefined && 'error' in fault ? fault.error : undefined
      // Early or late within the call: both have to be right for a crash in the middle.
      const isEarly = this.random.chance(0.5) && operation.name !== 'sync'
      const early = isEarly ? attempt(effect, error) : undefined
      const end = (): void => {
        const outcome = early ?? attempt(effect, error)
        this.#scheduler.digest.mix(operation.bytes)
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      }
      const label = `disk.${operation.name}`
      this.#scheduler.after(this.#latencyOf(operation) + extraMs, end, { label, generation })
    })
  }

  /** A bug of the code under test that a real disk would not report: the run fails. */
  misused(sentence: string): void {
    this.#scheduler.fail(new Error(`disk of ${this.name}: ${sentence}`))
  }

  #latencyOf(operation: DiskOperation): number {
    const isSync = operation.name === 'sync' || operation.name === 'syncDirectory'
    const mean = isSync ? this.latency.syncMs : this.latency.operationMs
    return mean / 4 + this.random.exponential(mean) + operation.bytes / this.latency.bytesPerMs
  }
}

function attempt<T>(effect: DiskEffect<T>, error: DiskErrorKind | undefined): Outcome<T> {
  const { name, path } = effect.operation
  try {
    if (error === undefined) return { value: effect.run() }
    effect.failed?.(error)
    return { error: new DiskError(error, path, `${path}: ${name} failed: simulated ${error}`) }
  } catch (thrown) {
    return { error: thrown }
  }
}

function sizeOf(image: DiskImage): number {
  let bytes = 0
  for (const inner of image.values()) bytes += inner instanceof Map ? sizeOf(inner) : inner.length
  return bytes
}
