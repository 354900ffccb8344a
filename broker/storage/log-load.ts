/**
 * Log load: opens the directory of a partition: as a new log, from what a clean shutdown noted, or by recovery.
 *
 * Always true: after a clean shutdown no segment is read; whatever does not fit the notes exactly is recovered
 * like after a crash. Segments wholly below the log start are removed before anything looks for gaps (S4).
 * Called by log-manager.ts.
 */
import type { Disk } from '../world/disk.ts'
import { temporarySuffix } from './checked-file.ts'
import { EpochCache } from './epoch-cache.ts'
import { parseSegmentFileName, segmentFileName } from './file-names.ts'
import type { LoadedLog, LoadRequest, LogFiles } from './load-types.ts'
import { recoverSegments } from './log-recovery.ts'
import { loadProducerSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import { Segment, type SegmentFacts } from './segment.ts'
import { readSegmentFacts, SegmentList } from './segment-list.ts'
import { readAbortedRanges } from './transaction-index.ts'

export async function loadLog(request: LoadRequest): Promise<LoadedLog> {
  const { disk } = request.shared
  const files = await listLogFiles(disk, request.directory)
  const wantedStart = request.checkpoint?.logStartOffset ?? 0
  await removeBelow(disk, request.directory, files, wantedStart)
  const logStartOffset = Math.max(wantedStart, files.bases[0] ?? 0)
  const aborted = await readAbortedRanges(disk, request.directory, files.transactionIndexes)
  const rest = { logStartOffset, aborted }
  if (files.bases.length === 0) return { ...(await createLog(request, wantedStart)), ...rest }
  const clean = request.clean ? await openCleanly(request, files) : null
  if (clean !== null) return { ...clean, ...rest }
  return { ...(await recoverSegments(request, files)), ...rest }
}

async function listLogFiles(disk: Disk, directory: string): Promise<LogFiles> {
  const files: LogFiles = { bases: [], snapshots: [], transactionIndexes: [] }
  const orphans: string[] = []
  const names = new Set(await disk.list(directory))
  for (const name of names) {
    const parsed = parseSegmentFileName(name)
    if (name.endsWith(temporarySuffix)) orphans.push(name)
    if (parsed === null) continue
    if (parsed.suffix === 'log') files.bases.push(parsed.baseOffset)
    else if (parsed.suffix === 'producers') files.snapshots.push(parsed.baseOffset)
    else if (!names.has(segmentFileName(parsed.baseOffset, 'log'))) orphans.push(name)
    else if (parsed.suffix === 'txnindex') files.transactionIndexes.push(parsed.baseOffset)
  }
  for (const name of orphans) await disk.removeFile(`${directory}/${name}`)
  return files
}

/** Takes segments that end at or below `logStartOffset` off the disk and off `files`. */
async function removeBelow(
  disk: Disk,
  directory: string,
  files: LogFiles,
  logStartOffset: number,
): Promise<void> {
  while ((files.bases[1] ?? Infinity) <= logStartOffset) {
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

type Opened = Omit<LoadedLog, 'logStartOffset' | 'aborted'>

async function createLog(request: LoadRequest, baseOffset: number): Promise<Opened> {
  const { shared, directory } = request
  const segments = new SegmentList()
  const first = new Segment(shared.disk, directory, baseOffset, shared.clock.wallMs())
  await first.createFile()
  await shared.disk.syncDirectory(directory)
  segments.add(first)
  const producers = new ProducerState(shared.limits.producers)
  const epochs = await EpochCache.read(shared.disk, directory)
  const leaderEpoch = epochs.latestEpoch + 1
  return { segments, producers, epochs, snapshots: [], leaderEpoch, quarantine: null }
}

/** null where anything differs from what the shutdown noted. */
async function openCleanly(request: LoadRequest, files: LogFiles): Promise<Opened | null> {
  const { shared, directory, checkpoint } = request
  const active = checkpoint?.active ?? null
  if (active === null || active.baseOffset !== files.bases.at(-1)) return null
  const facts = await readSegmentFacts(shared.disk, directory)
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
  const leaderEpoch = Math.max(0, epochs.latestEpoch)
  const { snapshots } = files
  return { segments, producers, epochs, snapshots, leaderEpoch, quarantine: null }
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
