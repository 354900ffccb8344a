/**
 * Plants against the rules about files, S3 to S7 of the storage design.
 * Called by all-plants.ts.
 */
import { edit, harmful, harmless, type Plant } from '../plant.ts'

const maintenance = 'broker/storage/log-maintenance.ts'
const recovery = 'broker/storage/log-recovery.ts'
const verdict = 'broker/storage/recovery-verdict.ts'
const load = 'broker/storage/log-load.ts'
const manager = 'broker/storage/log-manager.ts'
const segment = 'broker/storage/segment.ts'
const nodeDisk = 'broker/world/node-disk.ts'
const lock = 'broker/world/process-lock.ts'

export const s3: readonly Plant[] = [
  ...harmless('S3', {
    'lock-not-taken': [
      'a data directory that another broker has locked is opened all the same',
      edit(
        nodeDisk,
        'if (locked ?? this.#holdsByClaim(path, descriptor, claim))',
        'if (locked !== undefined || this.#holdsByClaim(path, descriptor, claim))',
      ),
    ],
    'lock-by-process-id-only': [
      'flock(1) is not used where it is there, so another container is not seen',
      edit(
        nodeDisk,
        'flockDescriptor(path, descriptor, this.#flockProgram)',
        "flockDescriptor(path, descriptor, '/nowhere/flock')",
      ),
    ],
    'lock-of-a-dead-process-holds': [
      'a claim holds as long as any process has its number',
      edit(
        lock,
        "return start !== '' && startOf(Number(pid), readText) === start",
        "return start !== '' && startOf(Number(pid), readText) !== ''",
      ),
    ],
  }),
]

export const s4: readonly Plant[] = [
  ...harmful('S4', {
    'log-start-not-persisted': [
      'a trim is answered, and segments go, without the log start on disk',
      edit(maintenance, 'await shared.checkpointNow()', ''),
    ],
    'unlinked-before-log-start': [
      'segments are unlinked before the log start is on disk',
      edit(
        maintenance,
        'await shared.checkpointNow()\n      return { start, bytes: await this.#dropSegments(start, why) }',
        'const bytes = await this.#dropSegments(start, why)\n      await shared.checkpointNow()\n' +
          '      return { start, bytes }',
      ),
    ],
    'trim-rides-on-another': [
      'a trim removes what only the checkpoint of a later one covers',
      edit(
        maintenance,
        'segments.dropBelow(start)',
        'segments.dropBelow(this.#parts.log.logStartOffset)',
      ),
    ],
    'gaps-below-log-start-count': [
      'a start takes a segment that a power loss brought back for the begin of the log',
      edit(load, 'await removeBelow(disk, request.directory, files, wantedStart)', ''),
    ],
  }),
  ...harmless('S4', {
    'no-room-kept-free': [
      'writes are taken below min.free.bytes, so that retention finds no room to work',
      edit(
        'broker/storage/housekeeping.ts',
        'const full = free < minFreeBytes',
        'const full = free < 0',
      ),
    ],
    'burst-eats-what-is-kept-free': [
      'what is appended between two looks at the disk may take more than there is to take',
      edit('broker/storage/log-rules.ts', ' || batchBytes > shared.space.leftBytes', ''),
    ],
    'retention-gives-up': [
      'segments that a full disk kept retention from removing are never removed',
      edit(
        maintenance,
        'if (!segments.hasBelow(start)) return 0',
        'if (wanted <= log.logStartOffset) return 0',
      ),
    ],
  }),
]

export const s5: readonly Plant[] = [
  ...harmful('S5', {
    'file-closed-under-reader': [
      'a segment that goes is closed while a read of it is queued',
      edit(segment, 'await this.#users.none()', ''),
    ],
    'idle-file-closed-under-reader': [
      'a file is closed as idle while a read that began earlier is queued',
      edit(segment, 'if (!idle || this.#users.count > 0) return', 'if (!idle) return'),
    ],
  }),
]

export const s6: readonly Plant[] = [
  ...harmless('S6', {
    'deleted-before-drained': [
      'the name of a deleted topic is free while its log still works in the directory',
      edit(manager, 'await log?.retire()', 'void log?.retire()'),
    ],
    'directory-of-another-topic': [
      'the directory of an earlier topic of the same name is taken over',
      edit(
        'broker/storage/partition-directory.ts',
        'if (owner !== null && owner !== topicId) {',
        "if (owner !== null && owner === '') {",
      ),
    ],
    'deletion-not-fsynced': [
      'a deletion is answered before the new name of the directory is on disk',
      edit(manager, 'await this.#syncDataDir()\n    this.#housekeeping', 'this.#housekeeping'),
    ],
    'dead-directory-removed-in-place': [
      'the files of a dead topic are removed while its directory still has its name',
      edit(
        manager,
        "?? 'unknown'\n    await this.#rename(directory, topicId, partition)",
        `?? 'unknown'
    if (topicId === '' && partition < 0) return
    await this.#world.disk.removeDirectory(directory)
    await this.#syncDataDir()`,
      ),
    ],
    'no-tombstone': [
      'a topic is taken out of the catalogue without a tombstone for its files',
      edit(
        'broker/metadata/catalogue.ts',
        'tombstones: [...catalogue.tombstones, tombstone]',
        'tombstones: [...catalogue.tombstones.slice(0, 0 * tombstone.deletedAtMs)]',
      ),
    ],
    'retired-segment-opens-again': [
      'a segment that is gone opens its path again, where its successor may lie',
      edit(segment, 'if (this.#retired) {', 'if (this.#retired && this.sizeBytes < 0) {'),
    ],
  }),
]

export const s7: readonly Plant[] = [
  ...harmful('S7', {
    'damage-below-recovery-point-cut': [
      'bad bytes in what was known to be on disk are cut off like a torn tail',
      edit(
        verdict,
        "if (damage.belowRecoveryPoint) return 'quarantine'",
        "if (damage.bytesAfter < 0) return 'quarantine'",
      ),
    ],
    'damage-far-from-end-cut': [
      'bad bytes farther from the end than one write are cut off like a torn tail',
      edit(
        verdict,
        "return damage.bytesAfter <= damage.tornLimitBytes ? 'cut' : 'quarantine'",
        "return 'cut'",
      ),
    ],
    'missing-end-not-noticed': [
      'a log that ends before what was on disk counts as whole',
      edit(recovery, 'if (endOffset >= known) return null', 'if (endOffset >= 0) return null'),
    ],
    'quarantined-log-takes-writes': [
      'a log with damage in it takes writes',
      edit(
        'broker/storage/log-rules.ts',
        'if (state.quarantine === null) return',
        "if (state.quarantine !== '') return",
      ),
    ],
    'quarantine-forgotten': [
      'the checkpoint of a damaged log says that its good part is all there was',
      edit(
        maintenance,
        'if (log.isQuarantined) return noted === null ? null : { ...noted, active: null }',
        '',
      ),
    ],
  }),
  ...harmless('S7', {
    'cut-bytes-not-kept': [
      'what recovery cuts off is gone',
      edit(
        recovery,
        'if (!zeroTail) await keepCutTail(shared, segment, end.position)',
        'if (zeroTail && end.position < 0) await keepCutTail(shared, segment, end.position)',
      ),
    ],
    'cut-not-reported': [
      'recovery cuts a tail off and says nothing',
      edit(recovery, "shared.logger.warn(facts, 'an unfinished write was cut off')", ''),
    ],
  }),
]
