/**
 * Log recovery: after a stop that was not clean, finds out what of a log is good, makes it durable,
 * and rebuilds what follows from it.
 *
 *   sealed, known        | read and checked  | and cut off, written anew, fsynced             | torn: kept as .cut
 *                        ^ snapshot's segment ^ recovery point                                 ^ log end
 *
 * Always true: nothing is served that was not rewritten and fsynced by this process: a batch in the
 * page cache may belong to an fsync that failed (S1). Recovery starts from a checkpoint or a
 * segment's begin, never from an index (S15). It may itself be cut short at any point and run
 * again. Every such start opens a new epoch (S12).
 * A log whose transactions are not known is read from its first segment on.
 * Called by log-load.ts.
 */
import type { BatchHeader } from '../../protocol/records/batch-header.ts'
import { strangeEpoch, type WalkEnd, walkBatches } from './batch-walk.ts'
import { writeDerivedFiles } from './derived-files.ts'
import { makeTailDurable } from './doubtful-tail.ts'
import { EpochCache } from './epoch-cache.ts'
import { segmentFileName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import type { LoadedLog, LoadRequest, LogFiles } from './load-types.ts'
import { loadNewestSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import {
  isZeroFrom,
  keepCutSegment,
  keepCutTail,
  maybeWrite,
  removeSnapshots,
} from './recovery-files.ts'
import { type RecoveryPoint, recoveryPoint, startOfDoubt } from './recovery-point.ts'
import { judgeDamage } from './recovery-verdict.ts'
import { Segment, type SegmentFacts } from './segment.ts'
import { readSegmentFacts, SegmentList } from './segment-list.ts'
import { keepTransactions, TransactionFold, type Transactions } from './transactions.ts'

type Recovered = Omit<LoadedLog, 'logStartOffset'>

interface Recovery {
  readonly request: LoadRequest
  readonly files: LogFiles
  readonly facts: Map<number, SegmentFacts>
  readonly point: RecoveryPoint
  readonly segments: SegmentList
  readonly producers: ProducerState
  readonly epochs: EpochCache
  /** Batches from here on are folded into the producer state. */
  readonly foldFrom: number
  /** The epoch file knows the epochs from here on. */
  readonly epochsFrom: number
  /** Which that file says a batch must have. */
  readonly epochAt: (offset: number) => number | null
  /** null = the log itself has to tell. */
  readonly known: Transactions | null
  readonly fold: TransactionFold
}

/** @throws DiskError noSpace where the log itself, or what its transactions are, found no room */
export async function recoverSegments(
  request: LoadRequest,
  files: LogFiles,
  known: Transactions | null,
): Promise<Recovered> {
  const { shared, directory } = request
  const producers = new ProducerState(shared.limits.producers)
  const stored = await EpochCache.read(shared.disk, directory)
  const epochs = known === null ? new EpochCache() : stored
  const storedEpoch = stored.latestEpoch
  const recovery: Recovery = {
    request,
    files,
    facts: await readSegmentFacts(shared.disk, directory),
    point: recoveryPoint(request.checkpoint, files.bases),
    segments: new SegmentList(),
    producers,
    epochs,
    epochsFrom: epochs.entries()[0]?.startOffset ?? Infinity,
    epochAt: epochs.latestEpoch < 0 ? () => null : offset => epochs.epochAt(offset),
    foldFrom: await loadNewestSnapshot(shared.disk, directory, files.snapshots, producers),
    known,
    fold: new TransactionFold(shared.compression),
  }
  const quarantine = (await readAll(recovery)) ?? missingEnd(recovery)
  if (quarantine === null && recovery.foldFrom > recovery.segments.active.endOffset) {
    return withoutLaterSnapshots(recovery)
  }
  const end = recovery.segments.active.endOffset
  epochs.maybeAssign(storedEpoch, end)
  const owed = quarantine === null ? await makeDurable(recovery) : []
  const hasEpochs = known !== null || quarantine !== null || (await areEpochsWritten(recovery))
  // An epoch that the lost tail had begun must not be given out again for other records.
  const leaderEpoch = recovery.epochs.latestEpoch + 1
  recovery.epochs.cutEnd(end)
  const snapshots = files.snapshots.filter(offset => offset <= end)
  return {
    segments: recovery.segments,
    producers,
    epochs,
    transactions: known ?? recovery.fold.found,
    snapshots,
    owed,
    epochsOwed: !hasEpochs || leaderEpoch > storedEpoch + 1,
    leaderEpoch,
    quarantine,
  }
}

/**
 * flush=os: the snapshot tells of records that a power loss took (S8). It goes, and all is read
 * again without it.
 */
async function withoutLaterSnapshots(recovery: Recovery): Promise<Recovered> {
  const { request, files, segments, known } = recovery
  const { shared, directory } = request
  const { endOffset } = segments.active
  const ahead = files.snapshots.filter(offset => offset > endOffset)
  const values = { event: 'snapshots-ahead', directory, endOffset, snapshots: ahead }
  shared.logger.warn(values, 'producer snapshots tell of records that are not here')
  await removeSnapshots(shared.disk, directory, ahead)
  await Promise.all(segments.all.map(segment => segment.retire()))
  const bases = segments.all.map(segment => segment.baseOffset)
  const snapshots = files.snapshots.filter(offset => offset <= endOffset)
  return recoverSegments(request, { ...files, bases, snapshots }, known)
}

/**
 * Bytes below the recovery point were on disk: a log that ends before it has lost acked records.
 */
function missingEnd({ request, segments }: Recovery): string | null {
  const known = request.checkpoint?.recovery.offset ?? 0
  const { endOffset } = segments.active
  if (endOffset >= known) return null
  const reason = `the log ends at offset ${endOffset}, but was on disk up to ${known}`
  request.shared.logger.error(
    { event: 'quarantined', directory: request.directory, reason },
    'records that were on disk are gone: the log is read-only',
  )
  return reason
}

/** Adds all good segments to the list; answers why the log is quarantined, or null. */
async function readAll(recovery: Recovery): Promise<string | null> {
  const { bases } = recovery.files
  for (const [at, base] of bases.entries()) {
    const nextBase = bases[at + 1]
    if (await maySkip(recovery, base, nextBase)) continue
    const end = await readSegment(recovery, base, nextBase === undefined)
    const gap = nextBase !== undefined && end.damage === null && end.nextOffset !== nextBase
    const damage = gap ? `the next segment begins at ${nextBase}, not here` : end.damage
    if (damage !== null) return handleDamage(recovery, at, { ...end, damage })
  }
  return null
}

/**
 * A sealed segment below recovery point and snapshot is taken as noted, if it has the size that was
 * noted.
 */
async function maySkip(
  recovery: Recovery,
  base: number,
  nextBase: number | undefined,
): Promise<boolean> {
  const { request, facts, point, segments, foldFrom, epochsFrom, known } = recovery
  const { shared, directory } = request
  const noted = facts.get(base)
  if (known === null || nextBase === undefined) return false
  if (base >= point.segmentBase || nextBase > foldFrom) return false
  if (noted?.endOffset !== nextBase || noted.sealedAtMs === null || base < epochsFrom) return false
  const found = await shared.disk.stat(`${directory}/${segmentFileName(base, 'log')}`)
  if (found?.size !== noted.sizeBytes) return false
  segments.add(Segment.fromFacts(shared.disk, directory, noted))
  return true
}

async function readSegment(recovery: Recovery, base: number, isLast: boolean): Promise<WalkEnd> {
  const { request, segments, known } = recovery
  const { shared, directory } = request
  const noted = recovery.facts.get(base)
  const now = shared.clock.wallMs()
  const segment = new Segment(shared.disk, directory, base, noted?.createdAtMs ?? now)
  segments.add(segment)
  if (!isLast) segment.sealedAtMs = noted?.sealedAtMs ?? now
  return segment.use(async file =>
    walkBatches(
      file,
      {
        from: 0,
        to: await file.size(),
        nextOffset: base,
        // Below the recovery point too: producers, times and the end follow from headers.
        checkCrcFrom: 0,
        check: (header, position) => strange(recovery, base, header, position),
      },
      (header, _, bytes) => {
        if (known === null) recovery.fold.add(header, bytes)
        takeBatch(recovery, segment, header)
        return true
      },
    ),
  )
}

/** What shows that a batch is not the one that was written there, but for what is in it. */
function strange(
  { facts, point, epochAt }: Recovery,
  base: number,
  header: BatchHeader,
  position: number,
): string | null {
  const first = base < point.segmentBase ? facts.get(base)?.firstChecksum : undefined
  if (position === 0 && first !== undefined && first !== header.crc) return 'it is another file'
  return strangeEpoch(header, epochAt(header.baseOffset))
}

function takeBatch(recovery: Recovery, segment: Segment, header: BatchHeader): void {
  const { lastOffset, maxTimestamp, sizeBytes, baseOffset } = header
  const { indexIntervalBytes } = recovery.request.settings
  segment.observe({ lastOffset, maxTimestamp, sizeBytes, crc: header.crc }, indexIntervalBytes)
  recovery.epochs.maybeAssign(header.leaderEpoch, baseOffset)
  if (header.producerId >= 0 && header.baseSequence >= 0 && baseOffset >= recovery.foldFrom) {
    recovery.producers.record(header, { baseOffset, nowMs: -Infinity })
    recovery.producers.commit(Infinity)
  }
}

async function handleDamage(
  recovery: Recovery,
  at: number,
  end: WalkEnd & { damage: string },
): Promise<string | null> {
  const { request, files, segments, point } = recovery
  const { shared, directory, settings } = request
  const segment = segments.active
  const later = files.bases.slice(at + 1)
  const sizes = await Promise.all(
    [segment.baseOffset, ...later].map(base =>
      shared.disk.stat(`${directory}/${segmentFileName(base, 'log')}`),
    ),
  )
  const total = sizes.reduce((sum, stat) => sum + (stat?.size ?? 0), 0)
  const zeroTail = later.length === 0 && (await isZeroFrom(segment, end.position))
  const verdict = judgeDamage({
    flush: request.checkpoint?.flush === 'os' ? 'os' : settings.flush,
    belowRecoveryPoint:
      segment.baseOffset < point.segmentBase ||
      end.position < startOfDoubt(point, segment.baseOffset),
    bytesAfter: total - end.position,
    tornLimitBytes: Math.max(shared.limits.maxRoundBytes, settings.maxMessageBytes),
    zeroTail,
    unknownLog: request.checkpoint === null,
  })
  const reason = `${end.damage} (${segment.path('log')}, position ${end.position})`
  const event = verdict === 'quarantine' ? 'quarantined' : 'tail-cut'
  const { endOffset } = segment
  const facts = { event, directory, reason, endOffset, bytes: total - end.position }
  if (verdict === 'quarantine') {
    shared.counts.corruptBatches++
    shared.logger.error(facts, 'damage below what was acked: the log is read-only up to there')
    return reason
  }
  shared.logger.warn(facts, 'an unfinished write was cut off')
  segment.sealedAtMs = null
  if (!zeroTail) await keepCutTail(shared, segment, end.position)
  for (const base of later) await keepCutSegment(shared.disk, directory, base)
  return null
}

/**
 * Rewrites what may be in the page cache only, cuts the tail, and puts indexes and list on disk.
 * Answers the segments whose indexes found no room: a full disk does not keep a broker from serving
 * what it has.
 */
async function makeDurable(recovery: Recovery): Promise<Segment[]> {
  const { request, files, segments, point, known, fold, producers } = recovery
  const { shared, directory } = request
  for (const segment of segments.all) {
    if (segment.baseOffset < point.segmentBase) continue
    await makeTailDurable(shared, directory, segment, startOfDoubt(point, segment.baseOffset))
  }
  const { endOffset } = segments.active
  const later = files.snapshots.filter(offset => offset > endOffset)
  await removeSnapshots(shared.disk, directory, later)
  if (known === null) {
    await keepTransactions(shared.disk, directory, fold, files.hasTransactionIndex)
  }
  await finalSync(shared.disk.syncDirectory(directory))
  const owed = segments.all.filter(s => s.sealedAtMs !== null && !s.indexesDurable)
  const parts = { shared, directory, segments, producers, snapshots: files.snapshots }
  return (await maybeWrite(shared, () => writeDerivedFiles(parts, owed))) ? [] : owed
}

/** Of a log that no checkpoint knows they were read from its batches. */
async function areEpochsWritten({ request, epochs }: Recovery): Promise<boolean> {
  const { shared, directory } = request
  if (epochs.latestEpoch < 0) return true
  return maybeWrite(shared, () => epochs.write(shared.disk, directory))
}
