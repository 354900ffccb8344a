/**
 * Sweep check: starts a node on a damaged directory, reads everything, starts it again, and says
 * what became of the damage.
 *
 *   harmless    all is served as it was written, and nothing was said
 *   repaired    all is served as it was written, and it was reported
 *   truncated   the end of a log is gone; what is left is right. That was reported of this very log,
 *               or no checkpoint had passed it and a crash before it was written leaves the same
 *   refused     the start, a partition or some reads fail by a named error; the rest is right
 *
 * Always true: every batch that is served is byte for byte the one that was written there; anything
 * else throws: a wrong record, a loss that nobody reported, an error without a name, the end of the
 * process, a second start that does worse, too many calls of the disk.
 * Called by sweep.ts.
 */
import assert from 'node:assert/strict'
import type { PartitionLog, ReadResult } from '../../broker/storage/types.ts'
import { SluiceError } from '../../protocol/errors.ts'
import { batchSizeAt } from '../../protocol/records/batch-header.ts'
import { FixtureWorld } from '../support/storage-fixture.ts'
import { FlatDisk, type FlatImage } from './flat-disk.ts'
import { dataDir, type StorageNode, startNode } from './storage-node.ts'
import {
  busyProducer,
  isEarlier,
  quietProducer,
  type Written,
  type WrittenBatch,
  type WrittenLog,
} from './sweep-data.ts'
import { directoryOf, endEvents, Reports, startEvents } from './sweep-reports.ts'

export const outcomes = ['harmless', 'repaired', 'truncated', 'refused'] as const
export type Outcome = (typeof outcomes)[number]

export interface Checked {
  readonly outcome: Outcome
  /** What was logged, and by which names things were refused. */
  readonly said: readonly string[]
}

/** Refusals that say what is the matter. */
const namedCodes = ['DATA_DIR_UNUSABLE', 'NEWER_FORMAT', 'KAFKA_STORAGE_ERROR']
/** Refusals of a batch that is sent again: of a log that is quarantined or cannot be opened. */
const repeatCodes = ['KAFKA_STORAGE_ERROR']

interface Seen {
  readonly start: number
  readonly end: number
  readonly isQuarantined: boolean
  /** Offsets that could not be read. */
  readonly unreadable: number
}

/** Looked at from close by, because something there is damaged. */
interface Close extends WrittenLog {
  readonly isClose: boolean
  /** All that is left could have been left by a crash before the rest was written. */
  readonly isEarlier: boolean
}

interface Start {
  readonly reports: Reports
  refused: boolean
  /** null = not served at all. */
  readonly logs: (Seen | null)[]
  readonly left: FlatImage
}

/**
 * `places`: directories of damaged files. Of a partition elsewhere only all records are read; a
 * damage in the data directory itself concerns every partition.
 */
export async function checkDamaged(
  image: FlatImage,
  { logs, isClean }: Pick<Written, 'logs' | 'isClean'>,
  places: readonly string[],
): Promise<Checked> {
  const written = logs.map(log => {
    const isClose = places.some(place => place === directoryOf(log) || place === dataDir)
    return { ...log, isClose, isEarlier: isEarlier(image, log) }
  })
  const first = await startOn(image, written, isClean)
  const second = await startOn(first.left, written, isClean)
  for (const [at, before] of first.logs.entries()) {
    const after = second.logs[at] ?? null
    if (before === null) continue
    const isQuarantined = after?.isQuarantined === true && first.refused
    const isLess = after === null || after.end < before.end
    // What the first start still read beyond the damage is not lost, but out of reach until it is
    // mended; both said so by name.
    assert.ok(!isLess || isQuarantined, 'a second start finds less')
    const isWorse = (after?.unreadable ?? 0) > before.unreadable
    assert.ok(!isWorse || isQuarantined, 'a second start can read less')
  }
  assert.ok(first.refused || !second.refused, 'a second start refuses more')
  return { outcome: outcomeOf(first, written), said: first.reports.said }
}

function outcomeOf(start: Start, written: readonly Close[]): Outcome {
  const { refused, reports, logs } = start
  const short = written.filter((log, at) => (logs[at]?.end ?? Infinity) < log.end)
  for (const log of short) {
    const isTold = log.isEarlier || reports.tells(log, endEvents)
    assert.ok(isTold, `acked records of ${directoryOf(log)} are gone, and nobody was told`)
  }
  if (refused) return 'refused'
  if (short.length > 0) return 'truncated'
  return reports.hasNews ? 'repaired' : 'harmless'
}

async function startOn(
  image: FlatImage,
  written: readonly Close[],
  isClean: boolean,
): Promise<Start> {
  const disk = new FlatDisk(image)
  const fixture = new FixtureWorld(disk)
  fixture.wallMs += 1_000_000
  const reports = new Reports(isClean)
  const start: Start = { reports, refused: false, logs: [], left: image }
  const node = await startNode(fixture, reports.logger).catch(error => refuse(start, error))
  assert.deepEqual(fixture.deaths, [], 'damage does not end the process')
  if (node === null) return { ...start, logs: written.map(() => null), left: disk.image() }
  for (const one of written) start.logs.push(await checkLog(node, one, start))
  assert.deepEqual(fixture.deaths, [], 'damage does not end the process')
  const left = disk.image()
  for (const one of written) await checkProducers(node, one)
  return { ...start, left }
}

/** A refusal with a name is noted; anything else is a crash. */
function refuse(start: Start, error: unknown): null {
  if (!SluiceError.is(error) || !namedCodes.includes(error.code)) throw error
  start.refused = true
  start.reports.said.push(`${error.code}: ${error.message}`)
  return null
}

async function checkLog(node: StorageNode, written: Close, start: Start): Promise<Seen | null> {
  const log = logOf(node, written, start)
  if (log === null) return null
  const { logStartOffset, highWatermark } = log
  const isQuarantined = log.describe().state === 'quarantined'
  if (isQuarantined) start.refused = true
  assert.ok(
    highWatermark <= written.end,
    `the log ends at ${highWatermark}, beyond what was written`,
  )
  const isMoved = logStartOffset !== written.start
  const isTold = start.reports.tells(written, startEvents)
  assert.ok(!isMoved || isTold, `the log starts at ${logStartOffset}, nobody was told`)
  const unreadable = await checkRecords(log, written, start, 1024 * 1024)
  if (written.isClose) {
    await checkRecords(log, written, start, 1)
    await checkTimes(log, written, start)
  }
  if (highWatermark === written.end) checkEpochs(log, written)
  return { start: logStartOffset, end: highWatermark, isQuarantined, unreadable }
}

function logOf(node: StorageNode, { topic, partition }: WrittenLog, start: Start) {
  try {
    return node.partitions.require(topic, undefined, partition).log
  } catch (error) {
    return refuse(start, error)
  }
}

/** Reads all of it; answers how many offsets could not be read. */
async function checkRecords(
  log: PartitionLog,
  { batches }: WrittenLog,
  start: Start,
  maxBytes: number,
): Promise<number> {
  let unreadable = 0
  for (let next = log.logStartOffset; next < log.highWatermark; ) {
    const at = batches.findIndex(batch => batch.lastOffset >= next)
    const expected = batches[at]
    if (expected === undefined) throw new Error(`nothing was ever written at ${next}`)
    const read = await readAt(() => log.read(next, maxBytes, { isolation: 'uncommitted' }), start)
    if (read === null) unreadable += expected.lastOffset + 1 - next
    const served = read === null ? 1 : compare(read, batches, at)
    next = (batches[at + served - 1]?.lastOffset ?? Infinity) + 1
  }
  return unreadable
}

async function readAt(
  read: () => ReadResult | Promise<ReadResult>,
  start: Start,
): Promise<Buffer | null> {
  try {
    const { bodies } = await read()
    return Buffer.concat(bodies)
  } catch (error) {
    return refuse(start, error)
  }
}

/** How many batches were served, each as it was written. */
function compare(read: Buffer, batches: readonly WrittenBatch[], from: number): number {
  let served = 0
  for (let position = 0; position < read.length; served++) {
    const size = batchSizeAt(read, position)
    const expected = batches[from + served]
    const batch = read.subarray(position, position + size)
    const isRight = expected !== undefined && Buffer.compare(batch, expected.bytes) === 0
    if (!isRight) throw new Error(`a wrong batch was served for offset ${expected?.baseOffset}`)
    position += size
  }
  assert.ok(served > 0, 'a read within the log answers nothing')
  return served
}

/** Looks up times over the whole log: exact for what is there, or refused. */
async function checkTimes(log: PartitionLog, { batches }: WrittenLog, start: Start): Promise<void> {
  const { logStartOffset, highWatermark } = log
  const records = batches.flatMap(({ baseOffset, timestamps }) =>
    timestamps.map((timestamp, at) => ({ offset: baseOffset + at, timestamp })),
  )
  const there = records.filter(({ offset }) => offset >= logStartOffset && offset < highWatermark)
  const highest = Math.max(-1, ...there.map(({ timestamp }) => timestamp))
  for (let part = 0; part < 6; part++) {
    const wanted = there[Math.floor((part * there.length) / 6)]?.timestamp ?? 0
    const expected = there.find(({ timestamp }) => timestamp >= wanted)?.offset
    const found = await lookUp(start, () => log.offsetForTimestamp(wanted))
    if (found !== null) assert.equal(found?.offset, expected, `a look-up of ${wanted} is wrong`)
  }
  const last = await lookUp(start, () => log.maxTimestampOffset())
  if (last !== null && there.length > 0) assert.equal(last?.timestamp, highest, 'wrong maximum')
}

/** undefined = found nothing, null = refused. */
async function lookUp(
  start: Start,
  run: () => Promise<{ offset: number; timestamp: number } | null>,
): Promise<{ offset: number; timestamp: number } | null | undefined> {
  try {
    return (await run()) ?? undefined
  } catch (error) {
    return refuse(start, error)
  }
}

/** A consumer that comes back with the epoch of its last record is not sent elsewhere. */
function checkEpochs(log: PartitionLog, { batches, end, leaderEpoch }: WrittenLog): void {
  const epoch = batches.at(-1)?.leaderEpoch ?? -1
  assert.equal(log.epochBefore(end), epoch, 'the epoch of the last record is another one')
  assert.ok(log.leaderEpoch >= leaderEpoch, 'an epoch is given out again')
  for (const one of new Set(batches.map(batch => batch.leaderEpoch))) {
    const last = batches.findLast(batch => batch.leaderEpoch === one)
    const expected = { epoch: one, endOffset: (last?.lastOffset ?? -1) + 1 }
    assert.deepEqual(log.endOffsetForEpoch(one), expected, `the end of epoch ${one} is another one`)
  }
}

/** Producers that send their last batch again get no second one into the log. */
async function checkProducers(
  node: StorageNode,
  { topic, partition, batches, end }: WrittenLog,
): Promise<void> {
  for (const producerId of [busyProducer, quietProducer]) {
    const last = batches.findLast(batch => batch.producerId === producerId)
    try {
      const { log } = node.partitions.require(topic, undefined, partition)
      if (last === undefined || log.highWatermark < end) continue
      const answer = log.appendAsLeader(last.bytes.slice())
      assert.ok(answer.duplicate, `a batch of producer ${producerId} is in the log twice`)
      assert.equal(answer.baseOffset, last.baseOffset)
    } catch (error) {
      if (!SluiceError.is(error) || !repeatCodes.includes(error.code)) throw error
    }
  }
}
