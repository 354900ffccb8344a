/**
 * Plants against the rules about writing, S1 and S2 of the storage design.
 * Called by all-plants.ts.
 */
import { edit, harmful, harmless, type Plant } from '../plant.ts'

const maintenance = 'broker/storage/log-maintenance.ts'
const doubtfulTail = 'broker/storage/doubtful-tail.ts'
const writer = 'broker/storage/log-writer.ts'
const log = 'broker/storage/log.ts'

export const s1: readonly Plant[] = [
  ...harmful('S1', {
    'recovery-does-not-rewrite': [
      'recovery fsyncs what it reads from the page cache, without writing it again',
      edit(doubtfulTail, 'Math.min(from, sizeBytes)', 'Math.max(from, sizeBytes)'),
    ],
    'recovery-writes-over-itself': [
      'recovery writes what is doubtful over itself, which ext4 does not make durable',
      edit(
        doubtfulTail,
        'if (position === sizeBytes) return',
        'await copyBytes(file, file, { from: position, end: sizeBytes, to: position })\n    if (position >= 0) return',
      ),
    ],
    'recovery-does-not-fsync': [
      'recovery serves what it wrote again before that is on disk',
      edit(doubtfulTail, 'await finalSync(log.sync())', ''),
    ],
    'tail-cut-before-it-has-a-name': [
      'recovery cuts off what is doubtful before the name of its copy is on disk',
      edit(
        doubtfulTail,
        'await finalSync(disk.syncDirectory(place.directory))\n  await log',
        'await log',
      ),
    ],
    'pieces-may-come-back-alone': [
      'of a tail in pieces one may come back after a power loss, and cut off what follows it',
      edit(doubtfulTail, 'if (index > 0) await', 'if (index < 0) await'),
    ],
    'recovery-point-beyond-fsync': [
      'the recovery point is the end of what was written, not of what was fsynced',
      edit(
        maintenance,
        'const end = writer.durableEnd',
        `const { active } = segments
    const { endOffset: written, baseOffset: base, sizeBytes: bytes } = active
    const end = { offset: written, segmentBase: base, position: bytes }`,
      ),
    ],
    'fsync-retried': [
      'a failed fsync of the log is tried again, and says ok',
      edit(
        writer,
        'file.use(log => log.sync())',
        'file.use(log => log.sync().catch(() => log.sync()))',
      ),
    ],
    'fsync-error-taken-for-full-disk': [
      'an fsync that says ENOSPC is handled like a write that found no room',
      edit('broker/storage/final-sync.ts', 'throw new SyncFailure(error)', 'throw error'),
    ],
    'write-error-survived': [
      'a write that failed with EIO is handled like one that found no room',
      edit(
        writer,
        'if (!isNoSpace(error)) return this.#die(error)\n      await this.#drop(error)',
        'await this.#drop(error as DiskError)',
      ),
    ],
  }),
  ...harmless('S1', {
    'no-checkpoint-after-many-bytes': [
      'the recovery point does not follow after 64 MiB, so a restart rewrites more',
      edit(writer, 'this.#parts.shared.requestCheckpoint()', ''),
    ],
  }),
]

export const s2: readonly Plant[] = [
  ...harmful('S2', {
    'short-write-not-noticed': [
      'a write of which the disk took only a part counts as whole',
      edit(writer, 'if (written < total) {', 'if (written < 0) {'),
    ],
    'full-disk-keeps-queue': [
      'batches queued behind one that found no room stay queued, and land after the hole',
      edit(writer, 'this.#queue = []', 'this.#queue.splice(0, 1)'),
    ],
    'full-disk-keeps-bytes': [
      'what a full disk took of a refused write stays in the file',
      edit(writer, 'await file.truncate(segment.sizeBytes)', ''),
    ],
    'full-disk-cut-not-fsynced': [
      'the cut after a full disk is not on disk when the batches are refused',
      edit(writer, 'await file.sync()', ''),
    ],
    'full-disk-keeps-producer-state': [
      'the retry of a batch that found no room is acked as a duplicate of it',
      edit(log, 'this.#producers.dropFrom(endOffset)', ''),
    ],
    'full-disk-keeps-log-end': [
      'the next batch after a full disk gets an offset behind a hole',
      edit(log, 'this.#logEndOffset = endOffset\n', ''),
    ],
    'full-disk-keeps-tail': [
      'batches that found no room stay in the tail cache',
      edit(log, 'this.#tail.dropFrom(endOffset)', ''),
    ],
    'full-disk-forgets-waiters': [
      'who waits for a batch, or for a duplicate of it, that found no room is not told',
      edit(log, 'this.#followers.dropped()', ''),
    ],
  }),
  ...harmless('S2', {
    'full-disk-outcome-unknown': [
      'a batch that found no room is answered as if it may have been applied',
      edit(
        'broker/storage/log-followers.ts',
        '{ retryAfterMs: 1000 }',
        '{ retryAfterMs: 1000, maybeApplied: true }',
      ),
    ],
  }),
]
