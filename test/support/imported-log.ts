/**
 * Imported log: directories that Kafka wrote, on a memory disk, and what it takes to read them as
 * readers with an isolation do.
 *
 * Always true: the fixture's own files stay as they are.
 * Used by the tests of broker/storage.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Isolation, PartitionLog } from '../../broker/storage/types.ts'
import { MemoryDisk } from '../../broker/world/memory-disk.ts'
import { eachBatch } from '../../protocol/records/batches.ts'
import { kafkaFixture } from './kafka-fixture.ts'

/** `change` answers the bytes of a file as they are to be, null for a file to be left out. */
export async function copyToMemory(
  topic: string,
  change: (name: string, bytes: Uint8Array) => Uint8Array | null = (_, bytes) => bytes,
): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const from = join(kafkaFixture, `${topic}-0`)
  await disk.makeDirectory(`/data/${topic}-0`)
  for (const name of readdirSync(from)) {
    const bytes = change(name, new Uint8Array(readFileSync(join(from, name))))
    if (bytes === null) continue
    const file = await disk.open(`/data/${topic}-0/${name}`, 'create')
    await file.write([bytes], 0)
  }
  return disk
}

/** The bytes of a .log file without its last batch. */
export function withoutLastBatch(bytes: Uint8Array): Uint8Array {
  let at = 0
  for (const { batch } of eachBatch(bytes)) {
    if (at + batch.byteLength === bytes.byteLength) break
    at += batch.byteLength
  }
  return bytes.slice(0, at)
}

export interface Seen {
  /** Offset after the last batch that was given. */
  readonly end: number
  /** First offsets of the aborted transactions that were named, each once. */
  readonly aborted: number[]
}

/** Reads from `offset` until nothing more is given. */
export async function readToEnd(
  log: PartitionLog,
  options: Isolation,
  offset = log.logStartOffset,
): Promise<Seen> {
  const aborted = new Set<number>()
  let end = offset
  for (;;) {
    const { bodies, abortedTransactions = [] } = await log.read(end, 5000, options)
    if (bodies.length === 0) return { end, aborted: [...aborted] }
    for (const { firstOffset } of abortedTransactions) aborted.add(firstOffset)
    for (const body of bodies) {
      for (const { header } of eachBatch(body)) end = header.lastOffset + 1
    }
  }
}
