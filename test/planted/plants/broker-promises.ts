/**
 * Plants against promises of the broker that have no number: acks, names on disk, reads, look-ups,
 * retention, duplicates, who may connect.
 * Called by all-plants.ts.
 */
import { edit, harmful, harmless, type Plant } from '../plant.ts'

const log = 'broker/storage/log.ts'
const writer = 'broker/storage/log-writer.ts'
const load = 'broker/storage/log-load.ts'
const checkedFile = 'broker/storage/checked-file.ts'
const checkpoints = 'broker/storage/checkpoint-store.ts'
const producers = 'broker/storage/producer-state.ts'
const lookup = 'broker/storage/time-lookup.ts'
const rules = 'protocol/transport/upgrade-rules.ts'

export const acks: readonly Plant[] = harmful('ack', {
  'ack-before-fsync': [
    'a batch is acked when it is written, before it is fsynced',
    edit(
      writer,
      "if (this.#parts.hooks.settings().flush === 'commit') await this.#sync(segment)",
      `this.#parts.hooks.committed(segment.endOffset, 0)
      if (this.#parts.hooks.settings().flush === 'commit') await this.#sync(segment)`,
    ),
  ],
  'high-watermark-above-fsync': [
    'the high watermark is the log end',
    edit(
      log,
      'return this.#highWatermark\n  }\n  get lastStable',
      'return this.#logEndOffset\n  }\n  get lastStable',
    ),
  ],
  'read-above-high-watermark': [
    'a fetch hands out records that are not committed',
    edit(
      log,
      "return isolation === 'committed' ? this.lastStableOffset : this.#highWatermark",
      "return isolation === 'committed' ? this.#logEndOffset : this.#logEndOffset",
    ),
  ],
  'duplicate-acked-early': [
    'a repeated batch is acked though the first one is not on disk yet',
    edit(
      'broker/replication/partition.ts',
      "if (acks !== 'none') this.log.whenCommitted(appended.lastOffset, done)",
      `if (appended.duplicate) void Promise.resolve().then(() => done(null))
    else if (acks !== 'none') this.log.whenCommitted(appended.lastOffset, done)`,
    ),
  ],
  'sync-names-too-early': [
    'a sync beside another acks a segment whose name the other has yet to fsync',
    edit(
      writer,
      'const rolls = this.#rolls\n',
      'const rolls = this.#rolls\n    const named = this.#namedRolls\n    this.#namedRolls = rolls\n',
    ),
    edit(writer, 'if (rolls > this.#namedRolls)', 'if (rolls > named)'),
  ],
  'older-segment-not-fsynced': [
    'a segment that was rolled unsynced is never fsynced (flush=os)',
    edit(
      writer,
      'if (old.endOffset > this.#syncedEnd.offset) this.#unsynced = [...this.#unsynced, old]',
      '',
    ),
  ],
})

export const names: readonly Plant[] = harmful('directory fsync', {
  'roll-directory-not-fsynced': [
    'the first batch of a new segment is acked before the name of the file is on disk',
    edit(
      writer,
      'if (rolls > this.#namedRolls) files.push(shared.disk.syncDirectory(directory))',
      '',
    ),
  ],
  'partition-directory-not-fsynced': [
    'the name of a new partition directory is not fsynced',
    edit(
      'broker/storage/partition-directory.ts',
      'await finalSync(disk.syncDirectory(dataDir))',
      '',
    ),
  ],
  'data-directory-not-fsynced': [
    'the name of a new data directory is not fsynced',
    edit('broker/metadata/data-directory.ts', 'await disk.syncDirectory(parent)', ''),
  ],
  'rename-not-fsynced': [
    'a small file counts as replaced before its new name is on disk',
    edit(checkedFile, 'if (nameToo) await finalSync(disk.syncDirectory(at.directory))', ''),
  ],
  'small-file-not-fsynced': [
    'a small file is renamed before its bytes are on disk',
    edit(checkedFile, 'await finalSync(file.sync())', ''),
  ],
  'catalogue-not-atomic': [
    'catalogue and checkpoint are written in place',
    edit(checkedFile, 'const temporary = ', 'const temporary = path || '),
    edit(checkedFile, 'await disk.rename(temporary, path)', ''),
  ],
  'small-file-checks-no-crc': [
    'a small file with a wrong checksum is believed',
    edit(checkedFile, "crc32c(body) !== Number.parseInt(head[3] ?? '', 16)", 'crc32c(body) < 0'),
  ],
})

export const starts: readonly Plant[] = harmful('restart', {
  'offset-used-again': [
    'a log whose records are gone begins at 0 again, not at its log start',
    edit(
      load,
      'const baseOffset = request.checkpoint?.logStartOffset ?? 0',
      'const baseOffset = 0',
    ),
  ],
  'log-start-beyond-end': [
    'a log that lost what lay below its start goes on from where it ends',
    edit(load, 'if (end >= wantedStart) {', 'if (end >= 0) {'),
  ],
  'clean-marker-without-checkpoint': [
    'the marker of a clean shutdown counts without the checkpoint that it names',
    edit(
      checkpoints,
      'return { logs, clean: named === id, damaged: null }',
      "return { logs, clean: named === id || marker.state === 'ok', damaged: null }",
    ),
    edit(
      checkpoints,
      "if (marker.state !== 'missing') await",
      "if (marker.state === 'damaged') await",
    ),
  ],
  'checkpoint-loaded-unsynced': [
    'segments go by a checkpoint whose name is in the page cache only',
    edit(
      checkpoints,
      'await disk.syncDirectory(directory)\n    if (read.state',
      "if (marker.state !== 'missing') await disk.syncDirectory(directory)\n    if (read.state",
    ),
  ],
  'trim-rides-on-earlier-checkpoint': [
    'a checkpoint that was under way counts for a log start that came after',
    edit(
      checkpoints,
      'if (this.#running === null) return this.#start()',
      'if (this.#running === null) return this.#start()\n    if (this.#next === null) return this.#running',
    ),
  ],
  'size-not-compared': [
    'a clean start takes a log that is shorter or longer than was noted',
    edit(
      load,
      'return size === facts.sizeBytes ? facts : null',
      'return size === undefined ? null : facts',
    ),
  ],
})

export const duplicates: readonly Plant[] = harmful('idempotence', {
  'sequence-not-checked': [
    'a batch is appended whatever its sequence',
    edit(
      producers,
      'if (batch.baseSequence === expected) return fresh',
      'if (expected >= 0) return fresh',
    ),
  ],
  'retry-appended-again': [
    'a repeated batch is found, and appended once more',
    edit(
      producers,
      'if (same !== undefined) return { duplicateOf: same }',
      'if (same !== undefined) return fresh',
    ),
  ],
  'producer-epoch-not-checked': [
    'a batch of a producer epoch that was left behind is appended',
    edit(producers, 'if (batch.producerEpoch < last.epoch) {', 'if (batch.producerEpoch < -1) {'),
  ],
})

export const reads: readonly Plant[] = [
  ...harmful('look-up', {
    'wrong-record-for-timestamp': [
      'a look-up by timestamp answers the first record of the batch',
      edit(
        lookup,
        'if (offset < want.start || timestamp < want.timestamp) continue',
        'if (offset < want.start) continue',
      ),
    ],
    'timestamp-lookup-skips-equal': [
      'a look-up by timestamp passes over records with exactly that timestamp',
      edit(
        'broker/storage/time-index.ts',
        'upperBound(this.#timestamps, this.#count, timestamp - 1) - 1',
        'upperBound(this.#timestamps, this.#count, timestamp) - 1',
      ),
    ],
  }),
  ...harmful('retention', {
    'active-segment-expires': [
      'retention counts the active segment among those that may go',
      edit('broker/storage/retention.ts', 'if (sealedAtMs === null) break', ''),
      edit('broker/storage/retention.ts', 'nowMs - sealedAtMs >=', 'nowMs - (sealedAtMs ?? 0) >='),
    ],
    'active-segment-dropped': [
      'a trim up to the end removes the active segment',
      edit(
        'broker/storage/segment-list.ts',
        'while (count < this.#segments.length - 1 && (this.#baseOffsets[count + 1] ?? 0) <= offset) {',
        'while (count < this.#segments.length && (this.#baseOffsets[count + 1] ?? offset) <= offset) {',
      ),
    ],
  }),
]

export const doors: readonly Plant[] = harmless('who may connect', {
  'origin-not-checked': [
    'a page of any origin may connect',
    edit(
      rules,
      'if (rules.allowedOrigins.includes(origin)) return null',
      "if (origin !== '') return null",
    ),
  ],
  'host-not-checked': [
    'a page that rebinds its name to 127.0.0.1 may connect',
    edit(rules, 'if (!rules.isLoopback) return null', "if (rules.host !== '') return null"),
  ],
})
