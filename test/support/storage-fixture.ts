/**
 * Storage fixture: logs on a memory disk with a clock that stands still until it is moved.
 *
 * Always true: no real time and no real file is touched; a "crash" is a second manager on the same
 * disk.
 * Called by the tests of broker/storage.
 */

import { openLogs } from '../../broker/storage/log-manager.ts'
import type { StorageLimits, StorageLogger } from '../../broker/storage/shared.ts'
import type { LogSettings, PartitionLog, PartitionLogs } from '../../broker/storage/types.ts'
import type { Disk } from '../../broker/world/disk.ts'
import { MemoryDisk } from '../../broker/world/memory-disk.ts'
import type { BrokerWorld } from '../../broker/world/world.ts'
import { openCompression } from '../../protocol/compression/compression.ts'
import type { SluiceError } from '../../protocol/errors.ts'
import { BatchBuilder } from '../../protocol/records/batch-builder.ts'
import { eachBatch } from '../../protocol/records/batches.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record-reader.ts'
import type { Compression } from '../../protocol/world.ts'

export const compression: Compression = await openCompression()

export const defaultSettings: LogSettings = {
  segmentBytes: 1024 * 1024,
  segmentMs: 7 * 86_400_000,
  indexIntervalBytes: 4096,
  maxMessageBytes: 8 * 1024 * 1024,
  retentionMs: -1,
  retentionBytes: -1,
  flush: 'commit',
}

export const orders = { topic: 'orders', topicId: 'ordersId00000000000000', partition: 0 }

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

/** Time, chance and process of one test. */
export class FixtureWorld {
  wallMs = 1_700_000_000_000
  monotonicMs = 5000
  readonly deaths: string[] = []
  readonly timers = new Set<Timer>()
  readonly disk: Disk
  #seed = 1

  constructor(disk: Disk = new MemoryDisk()) {
    this.disk = disk
  }

  /** Moves both clocks and runs what falls due, letting all promises settle. */
  async advance(ms: number): Promise<void> {
    const end = this.monotonicMs + ms
    for (;;) {
      const due = [...this.timers].filter(t => t.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.timers.delete(due)
      this.wallMs += Math.max(0, due.atMs - this.monotonicMs)
      this.monotonicMs = Math.max(this.monotonicMs, due.atMs)
      due.run()
      await settle()
    }
    // Somebody else may have moved the clocks further meanwhile.
    const leftMs = Math.max(0, end - this.monotonicMs)
    this.wallMs += leftMs
    this.monotonicMs += leftMs
    await settle()
  }

  world(): BrokerWorld {
    const network = { dial: refuse, listen: refuse }
    return {
      clock: { wallMs: () => this.wallMs, monotonicMs: () => this.monotonicMs },
      timers: {
        after: (delayMs, run) => {
          const timer = { atMs: this.monotonicMs + delayMs, run }
          this.timers.add(timer)
          return { cancel: () => this.timers.delete(timer) }
        },
        endOfTurn: run => setImmediate(run),
      },
      random: {
        fraction: () => 0.5,
        bits: bits => this.#seed++ % 2 ** bits,
        bytes: length => new Uint8Array(length).fill(this.#seed++),
      },
      network,
      compression,
      disk: this.disk,
      process: { die: (reason, cause) => this.deaths.push(`${reason}: ${String(cause)}`) },
    }
  }
}

function refuse(): never {
  throw new Error('storage does not use the network')
}

/** Lets every promise that is ready, and what follows from it, run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}

export interface OpenOptions {
  readonly fixture?: FixtureWorld
  readonly settings?: Partial<LogSettings>
  readonly limits?: Partial<StorageLimits>
  /** Default: nobody listens. */
  readonly logger?: StorageLogger
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

export async function openFixture(
  options: OpenOptions = {},
): Promise<{ logs: PartitionLogs; log: PartitionLog; fixture: FixtureWorld }> {
  const fixture = options.fixture ?? new FixtureWorld()
  await fixture.disk.makeDirectory('/data')
  const world = fixture.world()
  const { limits = {}, logger = silent } = options
  const logs = await openLogs({ dataDir: '/data', world, limits, logger })
  const log = await logs.open(orders, { ...defaultSettings, ...options.settings })
  return { logs, log, fixture }
}

export interface TestBatch {
  readonly values: readonly string[]
  /** Of the first record; each later one is 1 ms younger. */
  readonly timestamp?: number
  /** Of each record, instead. */
  readonly timestamps?: readonly number[]
  readonly producer?: { readonly id: number; readonly epoch?: number; readonly sequence: number }
}

export function batchOf(batch: TestBatch): Uint8Array {
  const { values, timestamp = 1000, timestamps, producer } = batch
  const valuesBytes = values.reduce((sum, value) => sum + 3 * value.length + 50, 0)
  const builder = new BatchBuilder({ capacityBytes: 1024 + valuesBytes })
  const encoder = new TextEncoder()
  for (const [i, value] of values.entries()) {
    const at = timestamps?.[i] ?? timestamp + i
    builder.append({ timestamp: at, key: null, value: encoder.encode(value) })
  }
  return builder.build({
    codec: 'none',
    compression,
    producerId: producer?.id ?? -1,
    producerEpoch: producer === undefined ? -1 : (producer.epoch ?? 0),
    baseSequence: producer?.sequence ?? -1,
  })
}

/** Appends and waits for the outcome. */
export function commit(log: PartitionLog, batch: Uint8Array): Promise<number> {
  const { baseOffset, lastOffset } = log.appendAsLeader(batch)
  return new Promise((resolve, reject) => {
    log.whenCommitted(lastOffset, (error: SluiceError | null) => {
      if (error === null) resolve(baseOffset)
      else reject(error)
    })
  })
}

/** All records from `offset` to the high watermark, read in steps of `maxBytes`. */
export async function readAll(
  log: PartitionLog,
  offset: number = log.logStartOffset,
  maxBytes = 1000,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  for (let next = offset; next < log.highWatermark; ) {
    const { bodies } = await log.read(next, maxBytes, { isolation: 'uncommitted' })
    const before = next
    for (const body of bodies) {
      for (const { batch, header } of eachBatch(body)) {
        if (!header.isControl) records.push(...readRecords(batch, compression))
        next = header.lastOffset + 1
      }
    }
    if (next === before) throw new Error(`nothing was read at ${next}`)
  }
  return records.filter(record => record.offset >= offset)
}

export function valuesOf(records: readonly StoredRecord[]): string[] {
  const decoder = new TextDecoder()
  return records.map(record => (record.value === null ? '(null)' : decoder.decode(record.value)))
}
