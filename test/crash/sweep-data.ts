/**
 * Sweep data: the data directory that the corruption sweep damages, written by the real code, and
 * what was written to it.
 *
 *   clean     after a clean stop: marker, indexes of the active segments, producer snapshots
 *   unclean   after the death of the process: the newest records lie above the recovery point, which
 *             is not in the last segment
 *
 * Always true: the same bytes every time, 64 and 90 KiB of them; two topics, three partitions, four
 * or more segments each, two leader epochs, a log start in the middle of a segment.
 * Called by sweep-check.ts and sweep.ts.
 */
import assert from 'node:assert/strict'
import { readCheckedFile } from '../../broker/storage/checked-file.ts'
import type { LogCheckpoint } from '../../broker/storage/load-types.ts'
import { eachBatch } from '../../protocol/records/batches.ts'
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import { SimRandom } from '../simulation/sim-random.ts'
import { batchOf, commit, compression, FixtureWorld } from '../support/storage-fixture.ts'
import { FlatDisk, type FlatImage } from './flat-disk.ts'
import { dataDir, type StorageNode, startNode } from './storage-node.ts'

export type Stop = 'clean' | 'unclean'

export interface WrittenBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly bytes: Uint8Array
  readonly timestamps: readonly number[]
  readonly producerId: number
  readonly leaderEpoch: number
}

export interface WrittenLog {
  readonly topic: string
  readonly partition: number
  readonly start: number
  readonly end: number
  readonly leaderEpoch: number
  /** Up to here the last checkpoint knows it on disk. */
  readonly known: number
  /** Of what is on disk, from the first segment on; the log start may lie within the first ones. */
  readonly batches: readonly WrittenBatch[]
}

export interface Written {
  readonly isClean: boolean
  readonly image: FlatImage
  readonly logs: readonly WrittenLog[]
}

const places = [
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
  { topic: 'payments', partition: 0 },
] as const

/** Writes many batches, and one producer that wrote once only. */
export const busyProducer = 7
export const quietProducer = 8

class Writer {
  readonly #random = new SimRandom(4).stream('records')
  readonly #sequences = new Map<number, number>()
  readonly #node: StorageNode

  constructor(node: StorageNode, sequence = 0) {
    this.#node = node
    this.#sequences.set(busyProducer, sequence)
  }

  get sequence(): number {
    return this.#sequences.get(busyProducer) ?? 0
  }

  async write(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const place of places) {
        const isIdempotent = place.topic === 'orders' && place.partition === 0 && round % 2 === 0
        await this.#batch(place, isIdempotent ? busyProducer : -1)
      }
    }
  }

  async writeQuietly(): Promise<void> {
    await this.#batch(places[0], quietProducer)
  }

  async #batch(place: (typeof places)[number], producerId: number): Promise<void> {
    const { log } = this.#node.partitions.require(place.topic, undefined, place.partition)
    const random = this.#random
    const count = 1 + random.below(3)
    const values = Array.from({ length: count }, () => textOf(random.bytes(60 + random.below(200))))
    const sequence = this.#sequences.get(producerId) ?? 0
    if (producerId >= 0) this.#sequences.set(producerId, sequence + count)
    // Not in order, as the clocks of several producers are not.
    const base = 1_000_000 + log.logEndOffset * 100
    const timestamps = values.map(() => base + random.below(1500))
    const producer = producerId >= 0 ? { producer: { id: producerId, sequence } } : {}
    await commit(log, batchOf({ values, timestamps, ...producer }))
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** Builds both directories. */
export async function writeDirectories(): Promise<Record<Stop, Written>> {
  const disk = new FlatDisk({ files: new Map(), directories: new Set([dataDir]) }, Infinity)
  const fixture = new FixtureWorld(disk)
  const first = await startNode(fixture)
  const configs = { 'segment.bytes': '5KiB', 'index.interval.bytes': '500' }
  await first.topics.create({ name: 'orders', partitions: 2, configs })
  await first.topics.create({ name: 'payments', partitions: 1, configs })
  const writer = new Writer(first)
  await writer.write(12)
  fixture.timers.clear()
  disk.releaseLocks()
  const second = await startNode(fixture)
  const later = new Writer(second, writer.sequence)
  await later.write(24)
  await fixture.advance(1000)
  await second.partitions.require('orders', undefined, 0).log.trim(21)
  await later.writeQuietly()
  await later.write(3)
  const clean = await closed(second, disk)
  const third = await startNode(fixture)
  const last = new Writer(third, later.sequence)
  await last.write(2)
  await fixture.advance(1000)
  // The last segment begins above the recovery point.
  await last.write(14)
  return { clean, unclean: await writtenIn(third, disk.image(), false) }
}

async function closed(node: StorageNode, disk: FlatDisk): Promise<Written> {
  await node.close()
  return writtenIn(node, disk.image(), true)
}

async function writtenIn(node: StorageNode, image: FlatImage, isClean: boolean): Promise<Written> {
  const notes = await checkpointIn(image)
  const logs = places.map(({ topic, partition }) => {
    const { log } = node.partitions.require(topic, undefined, partition)
    const { logStartOffset: start, highWatermark: end, leaderEpoch, identity } = log
    const batches = batchesIn(image, `${dataDir}/${topic}-${partition}/`)
    const isIts = (note: LogCheckpoint) =>
      note.topicId === identity.topicId && note.partition === partition
    const known = notes.find(isIts)?.recovery.offset ?? 0
    return { topic, partition, start, end, leaderEpoch, known, batches }
  })
  return { image, isClean, logs }
}

async function checkpointIn(image: FlatImage): Promise<readonly LogCheckpoint[]> {
  const file = { directory: dataDir, name: 'log-checkpoint', kind: 'logs' }
  const read = await readCheckedFile(new FlatDisk(image), file)
  assert.equal(read.state, 'ok')
  return read.state === 'ok' ? (read.value as { logs: LogCheckpoint[] }).logs : []
}

function batchesIn({ files }: FlatImage, directory: string): WrittenBatch[] {
  const paths = [...files.keys()].filter(path => path.startsWith(directory))
  const logs = paths.filter(path => path.endsWith('.log')).sort()
  return logs.flatMap(path =>
    [...eachBatch(files.get(path) ?? new Uint8Array(0))].map(({ batch: bytes, header }) => {
      const { baseOffset, lastOffset, producerId, leaderEpoch } = header
      const timestamps: number[] = []
      const cursor = new RecordCursor(bytes, header, compression)
      while (cursor.next()) timestamps.push(cursor.timestamp)
      return { baseOffset, lastOffset, bytes, timestamps, producerId, leaderEpoch }
    }),
  )
}

/**
 * After a stop that was not clean: whole batches up to a place that no checkpoint had passed. A
 * crash leaves the same, so nobody can tell.
 */
export function isEarlier(
  { files }: FlatImage,
  { topic, partition, batches, known }: WrittenLog,
): boolean {
  const directory = `${dataDir}/${topic}-${partition}`
  const paths = [...files.keys()].filter(path => path.startsWith(`${directory}/`))
  const logs = paths.filter(path => path.endsWith('.log')).sort()
  const left = Buffer.concat(logs.map(path => files.get(path) ?? new Uint8Array(0)))
  let size = 0
  let end = 0
  for (const { bytes, lastOffset } of batches) {
    if (size >= left.length) break
    if (Buffer.compare(left.subarray(size, size + bytes.length), bytes) !== 0) return false
    size += bytes.length
    end = lastOffset + 1
  }
  return size === left.length && end >= known
}
