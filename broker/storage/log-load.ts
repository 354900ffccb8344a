/**
 * Log load: opens the directory of a partition: as a new log, from what a clean shutdown noted, or
 * by recovery.
 *
 * Always true: after a clean shutdown no segment is read; whatever does not fit the notes exactly
 * is recovered like after a crash, and a log whose transactions are not known is read through.
 * Segments wholly below the log start are removed before anything looks for gaps (S4).
 * Called by log-manager.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Disk } from '../world/disk.ts'
import { temporarySuffix } from './checked-file.ts'
import { restoreTails } from './doubtful-tail.ts'
import { EpochCache } from './epoch-cache.ts'
import { parseSegmentFileName, segmentFileName, transactionsName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import type { LoadedLog, LoadRequest, LogFiles } from './load-types.ts'
import { recoverSegments } from './log-recovery.ts'
import { loadProducerSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import { Segment, type SegmentFacts } from './segment.ts'
import { readSegmentFacts, SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import { readTransactions, Transactions } from './transactions.ts'

export async function loadLog(request: LoadRequest): Promise<LoadedLog> {
  const { disk } = request.shared
  const files = await listLogFiles(request.shared, request.directory)
  const wantedStart = request.checkpoint?.logStartOffset ?? 0
  await removeBelow(disk, request.directory, files, wantedStart)
  requireFirstSegment(request, files)
  warnOfUnknown(request, files)
  const opened = await openSegments(request, files)
  const end = opened.segments.active.endOffset
  if (end >= wantedStart) {
    const logStartOffset = Math.max(wantedStart, files.bases[0] ?? 0)
    return { ...opened, logStartOffset }
  }
  if (opened.quarantine !== null) return { ...opened, logStartOffset: end }
  return { ...(await startAfresh(request, opened)), logStartOffset: wantedStart }
}

async function openSegments(request: LoadRequest, files: LogFiles): Promise<Opened> {
  if (files.bases.length === 0) return createLog(request, files.snapshots)
  const transactions = await knownTransactions(request, files)
  const mayBeClean = request.clean && transactions !== null
  const clean = mayBeClean ? await openCleanly(request, files, transactions) : null
  if (clean !== null) return clean
  const beganMs = request.shared.clock.monotonicMs()
  const recovered = await recoverSegments(request, files, transactions)
  noteRecovered(request, recovered, beganMs)
  return recovered
}

function noteRecovered({ shared, identity }: LoadRequest, log: Opened, beganMs: number): void {
  const { topic, partition } = identity
  const { sizeBytes, active } = log.segments
  const tookMs = Math.round(shared.clock.monotonicMs() - beganMs)
  const facts = { segments: log.segments.all.length, sizeBytes, endOffset: active.endOffset }
  const values = { event: 'log-recovered', topic, partition, ...facts, tookMs }
  shared.logger.debug?.(values, 'a log was recovered')
}

/** null where only the log itself can tell: it is new here, or Kafka's list is all there is. */
async function knownTransactions(
  { shared, directory, checkpoint }: LoadRequest,
  files: LogFiles,
): Promise<Transactions | null> {
  if (checkpoint === null) return null
  const read = await readTransactions(shared.disk, directory)
  if (read === 'missing') return files.hasTransactionIndex ? null : new Transactions()
  return read === 'damaged' ? null : read
}

/** Copied in, or the checkpoint is lost: what was trimmed within its first segment is back. */
function warnOfUnknown(request: LoadRequest, files: LogFiles): void {
  const { shared, checkpoint, directory, clean } = request
  if (checkpoint !== null || files.bases.length === 0) return
  if (!clean) shared.counts.isUncleanStart = true
  const facts = { event: 'checkpoint-unknown', directory, logStartOffset: files.bases[0] }
  shared.logger.warn(facts, 'no checkpoint knows this log: it is read from its first segment on')
}

/**
 * @throws SluiceError KAFKA_STORAGE_ERROR where files are gone that held records beyond the log
 * start
 */
function requireFirstSegment(
  { checkpoint, identity, directory }: LoadRequest,
  files: LogFiles,
): void {
  const [first = Infinity] = files.bases
  if (checkpoint === null || checkpoint.recovery.offset <= checkpoint.logStartOffset) return
  if (first <= checkpoint.logStartOffset) return
  const { topic, partition } = identity
  throw new SluiceError(
    'KAFKA_STORAGE_ERROR',
    `${directory} has no segment for offset ${checkpoint.logStartOffset}, where the log begins`,
    { topic, partition, hint: 'bring the .log files back, or delete the topic' },
  )
}

/**
 * The log start is on disk but the records below it are not (flush=os, trimmed just before a power
 * loss): the offsets up to there were seen and must not be given out again, so the log goes on from
 * its start.
 */
async function startAfresh(request: LoadRequest, opened: Opened): Promise<Opened> {
  const { shared, directory } = request
  for (const segment of opened.segments.all) {
    await segment.retire()
    await removeSegmentFiles(shared.disk, directory, segment.baseOffset)
  }
  const { segments, transactions } = await createLog(request, [])
  return { ...opened, segments, transactions, owed: [] }
}

async function listLogFiles(shared: LogShared, directory: string): Promise<LogFiles> {
  const { disk } = shared
  const bases: number[] = []
  const snapshots: number[] = []
  let hasTransactionIndex = false
  const orphans: string[] = []
  const names = new Set(await disk.list(directory))
  await restoreTails(shared, directory, [...names])
  for (const name of names) {
    const parsed = parseSegmentFileName(name)
    if (name.endsWith(temporarySuffix)) orphans.push(name)
    if (parsed === null) continue
    if (parsed.suffix === 'log') bases.push(parsed.baseOffset)
    else if (parsed.suffix === 'producers') snapshots.push(parsed.baseOffset)
    else if (!names.has(segmentFileName(parsed.baseOffset, 'log'))) orphans.push(name)
    else if (parsed.suffix === 'txnindex') hasTransactionIndex = true
  }
  for (const name of orphans) await disk.removeFile(`${directory}/${name}`)
  return { bases, snapshots, hasTransactionIndex }
}

/** Takes segments that end at or below `logStartOffset` off the disk and off `files`. */
async function removeBelow(
  disk: Disk,
  directory: string,
  files: LogFiles,
  logStartOffset: number,
): Promise<void> {
  // What no snapshot covers is read once more, for who wrote it; a segment is unlinked only when
  // one does.
  const covered = files.snapshots.at(-1) ?? 0
  if ((files.bases[1] ?? Infinity) > Math.min(logStartOffset, covered)) return
  // Its name may be in the page cache only, and the segments must not be gone without it.
  await finalSync(disk.syncDirectory(directory))
  while ((files.bases[1] ?? Infinity) <= Math.min(logStartOffset, covered)) {
    const base = files.bases.shift() ?? 0
    await removeSegmentFiles(disk, directory, base)
  }
}

export async function removeSegmentFiles(
  disk: Disk,
  directory: string,
  baseOffset: number,
): Promise<void> {
  for (const suffix of ['log', 'index', 'timeindex', 'txnindex'] as const) {
    await disk.removeFile(`${directory}/${segmentFileName(baseOffset, suffix)}`)
  }
}

type Opened = Omit<LoadedLog, 'logStartOffset'>

async function createLog(request: LoadRequest, snapshots: readonly number[]): Promise<Opened> {
  const { shared, directory } = request
  // What is said of offsets that are given out again would be wrong (S8).
  await shared.disk.removeFile(`${directory}/${transactionsName}`)
  for (const offset of snapshots) {
    await shared.disk.removeFile(`${directory}/${segmentFileName(offset, 'producers')}`)
  }
  const baseOffset = request.checkpoint?.logStartOffset ?? 0
  const segments = new SegmentList()
  const first = new Segment(shared.disk, directory, baseOffset, shared.clock.wallMs())
  await first.createFile()
  await finalSync(shared.disk.syncDirectory(directory))
  segments.add(first)
  const producers = new ProducerState(shared.limits.producers)
  const epochs = await EpochCache.read(shared.disk, directory)
  return {
    segments,
    producers,
    epochs,
    transactions: new Transactions(),
    snapshots: [],
    owed: [],
    epochsOwed: false,
    leaderEpoch: epochs.latestEpoch + 1,
    quarantine: null,
  }
}

/** null where anything differs from what the shutdown noted. */
async function openCleanly(
  request: LoadRequest,
  files: LogFiles,
  transactions: Transactions,
): Promise<Opened | null> {
  const { shared, directory, checkpoint } = request
  const active = checkpoint?.active ?? null
  if (active === null || active.baseOffset !== files.bases.at(-1)) return null
  const facts = files.bases.length > 1 ? await readSegmentFacts(shared.disk, directory) : new Map()
  facts.set(active.baseOffset, active)
  const segments = new SegmentList()
  const known = await Promise.all(
    files.bases.map((base, at) => fits(request, facts.get(base), files.bases[at + 1])),
  )
  for (const segmentFacts of known) {
    if (segmentFacts === null) return null
    segments.add(Segment.fromFacts(shared.disk, directory, segmentFacts))
  }
  await segments.active.indexes()
  const producers = new ProducerState(shared.limits.producers)
  const at = checkpoint?.snapshotOffset ?? null
  if (at !== null && !(await loadProducerSnapshot(shared.disk, directory, at, producers))) {
    return null
  }
  const epochs = await EpochCache.read(shared.disk, directory)
  // Batches have epochs: where the file knows none it is missing or damaged, and the log tells.
  const { latestEpoch } = epochs
  if (latestEpoch < 0 && segments.sizeBytes > 0) return null
  epochs.cutEnd(segments.active.endOffset)
  return {
    segments,
    producers,
    epochs,
    transactions,
    snapshots: files.snapshots,
    owed: [],
    epochsOwed: false,
    leaderEpoch: Math.max(checkpoint?.leaderEpoch ?? 0, latestEpoch),
    quarantine: null,
  }
}

async function fits(
  { shared, directory }: LoadRequest,
  facts: SegmentFacts | undefined,
  nextBase: number | undefined,
): Promise<SegmentFacts | null> {
  if (facts === undefined) return null
  if (nextBase !== undefined && (facts.endOffset !== nextBase || facts.sealedAtMs === null)) {
    return null
  }
  const path = `${directory}/${segmentFileName(facts.baseOffset, 'log')}`
  const size = (await shared.disk.stat(path))?.size
  return size === facts.sizeBytes ? facts : null
}
