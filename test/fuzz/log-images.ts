/**
 * Log images: data directories as the broker's storage leaves them, after a clean stop and after
 * none, as lists of files that can be changed one by one.
 *
 * Always true: the same seed gives the same images; what was acked in them is known.
 * Used by the target of whole logs.
 */
import { openLogs } from '../../broker/storage/log-manager.ts'
import type { LogSettings, PartitionLog, PartitionLogs } from '../../broker/storage/types.ts'
import type { Disk } from '../../broker/world/disk.ts'
import { MemoryDisk } from '../../broker/world/memory-disk.ts'
import { stampProducer } from '../../protocol/records/batch-header.ts'
import { eachBatch } from '../../protocol/records/batches.ts'
import { readRecords } from '../../protocol/records/record-reader.ts'
import { commit, defaultSettings, FixtureWorld, orders } from '../support/storage-fixture.ts'
import { compression, randomBatch, writableCodecs } from './batches.ts'
import { FuzzRandom, nameHash } from './random.ts'
import { Broken } from './target.ts'

export const dataDir = '/data'
const batchesPerImage = 24
export const settings: LogSettings = {
  ...defaultSettings,
  segmentBytes: 2048,
  indexIntervalBytes: 256,
}

export interface StoredFile {
  readonly path: string
  readonly bytes: Uint8Array
}

export interface LogImage {
  readonly files: readonly StoredFile[]
  /** By offset: what each acked record says. */
  readonly acked: ReadonlyMap<number, string>
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

export interface OpenedLog {
  readonly logs: PartitionLogs
  readonly log: PartitionLog
  readonly fixture: FixtureWorld
}

/** @throws what opening throws; Broken where the process would have ended */
export async function openImage(disk: Disk): Promise<OpenedLog> {
  const fixture = new FixtureWorld(disk)
  await disk.makeDirectory(dataDir)
  const limits = { minFreeBytes: 0, maxRoundBytes: 1024 }
  const world = fixture.world()
  const opening = openLogs({ dataDir, world, limits, logger: silent })
  const logs = await settled(fixture, opening)
  const log = await settled(fixture, logs.open(orders, settings))
  return { logs, log, fixture }
}

const mostTurns = 500

/** The outcome of `work`. @throws Broken where the process would have ended, or it never settles */
export async function settled<T>(fixture: FixtureWorld, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  for (let turn = 0; !isDone; turn++) {
    if (fixture.deaths.length > 0) throw new Broken(`the process ends: ${fixture.deaths[0]}`)
    if (turn === mostTurns) throw new Broken('it does not come to an end')
    await new Promise(resolve => setImmediate(resolve))
  }
  return work
}

export const saying = ({ key, value }: { key: Uint8Array | null; value: Uint8Array | null }) =>
  `${Buffer.from(key ?? []).toString('latin1')}=${Buffer.from(value ?? []).toString('latin1')}`

export async function makeImage(seed: number, isClean: boolean): Promise<LogImage> {
  const random = new FuzzRandom()
  const disk = new MemoryDisk()
  const acked = new Map<number, string>()
  const { logs, log, fixture } = await openImage(disk)
  for (let n = 0; n < batchesPerImage; n++) {
    random.restart(seed, nameHash('image'), n)
    const { bytes, records } = randomBatch(random, random.pick(writableCodecs))
    const batch = asFreshProducer(bytes, 100 + n)
    const base = await commit(log, batch)
    for (const [i, record] of records.entries()) acked.set(base + i, saying(record))
    if (n === batchesPerImage / 2) await fixture.advance(2000)
  }
  if (isClean) await logs.closeCleanly()
  // Old snapshots are removed in the background.
  await fixture.advance(0)
  return { files: await filesOf(disk, dataDir), acked }
}

/** Each batch from a producer of its own, so that none is out of order. */
function asFreshProducer(batch: Uint8Array, producerId: number): Uint8Array {
  const view = new DataView(batch.buffer, batch.byteOffset)
  if (view.getBigInt64(43) < 0n) return batch
  stampProducer(batch, { producerId, producerEpoch: 0, baseSequence: 0 })
  return batch
}

async function filesOf(disk: Disk, directory: string): Promise<StoredFile[]> {
  const files: StoredFile[] = []
  for (const name of await disk.list(directory)) {
    const path = `${directory}/${name}`
    if ((await disk.stat(path))?.isDirectory === true) {
      files.push(...(await filesOf(disk, path)))
      continue
    }
    const file = await disk.open(path, 'read')
    files.push({ path, bytes: await file.read(0, await file.size()) })
    await file.close()
  }
  return files
}

/** A disk that holds the files, empty directories left out. */
export async function diskOf(files: readonly StoredFile[]): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  for (const { path, bytes } of files) {
    await disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const file = await disk.open(path, 'create')
    await file.write([bytes], 0)
    await file.close()
  }
  return disk
}

/** All records that the log gives, by offset. @throws as reading does */
export async function readLog(log: PartitionLog): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (let next = log.logStartOffset; next < log.highWatermark; ) {
    const { bodies } = await log.read(next, 4096, { isolation: 'uncommitted' })
    const before = next
    for (const body of bodies) {
      for (const { batch, header } of eachBatch(body)) {
        if (!header.isControl) {
          for (const record of readRecords(batch, compression)) {
            found.set(record.offset, saying(record))
          }
        }
        next = header.lastOffset + 1
      }
    }
    if (next <= before) throw new Broken(`nothing is read at ${before}`)
  }
  return found
}
