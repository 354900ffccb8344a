/**
 * Plants against the rules about bytes, time and memory, S13 to S16 of the storage design.
 * Called by all-plants.ts.
 */
import { edit, harmful, harmless, type Plant } from '../plant.ts'

const recovery = 'broker/storage/log-recovery.ts'
const maintenance = 'broker/storage/log-maintenance.ts'
const writer = 'broker/storage/log-writer.ts'
const walk = 'broker/storage/batch-walk.ts'
const reader = 'broker/storage/log-reader.ts'
const offsetIndex = 'broker/storage/offset-index.ts'
const timeIndex = 'broker/storage/time-index.ts'
const segment = 'broker/storage/segment.ts'
const tail = 'broker/storage/tail-cache.ts'
const answer = 'client/consumer/answer-batches.ts'

export const s13: readonly Plant[] = [
  ...harmful('S13', {
    'recovery-checks-no-continuity': [
      'recovery takes a batch whose offset does not follow',
      edit(walk, 'header.baseOffset !== nextOffset', 'header.baseOffset < 0'),
    ],
    'recovery-checks-no-epoch': [
      'recovery takes a batch whose leader epoch falls',
      edit(walk, 'if (header.leaderEpoch < lastEpoch) {', 'if (header.leaderEpoch < -1) {'),
    ],
    'cold-read-checks-no-continuity': [
      'a read from disk takes a batch whose offset does not follow',
      edit(reader, 'header.baseOffset !== next)', 'header.baseOffset < 0)'),
    ],
    'consumer-checks-no-continuity': [
      'the SDK shows a batch whose offset does not follow',
      edit(
        answer,
        'if (lastOffset < expected || (!isFirst && baseOffset !== expected)) {',
        'if (lastOffset < 0) {',
      ),
    ],
    'consumer-checks-no-epoch': [
      'the SDK shows a batch whose leader epoch falls',
      edit(answer, 'if (leaderEpoch < epoch)', 'if (leaderEpoch < -1)'),
    ],
    'append-checks-no-crc': [
      'a batch with a wrong checksum is appended',
      edit(
        'protocol/records/batch-header.ts',
        'const header = readFields(batch, 0, 0)\n  requireSound(batch, header)',
        `const header = readFields(batch, 0, 0)
  requireSound(batch, { ...header, crc: crc32c(batch, crcStart) })`,
      ),
    ],
    'recovery-checks-no-crc': [
      'a torn tail whose headers are good is served',
      edit(recovery, 'checkCrcFrom: 0,', 'checkCrcFrom: Infinity,'),
    ],
    'cold-read-checks-no-crc': [
      'a read from disk hands out a batch with a wrong checksum',
      edit(
        reader,
        'const header = checkBatch(bytes.subarray(at, at + size))',
        'const header = readBatchHeader(bytes, at)',
      ),
      edit(reader, '  lastOffsetAt,\n', '  lastOffsetAt,\n  readBatchHeader,\n'),
    ],
    'consumer-checks-no-crc': [
      'the SDK shows a batch with a wrong checksum',
      edit(
        answer,
        'const header = options.checkCrc ? checkBatch(bytes) : unchecked',
        'const header = unchecked',
      ),
    ],
    'time-lookup-checks-no-crc': [
      'a record is found by its timestamp in a batch with a wrong checksum',
      edit('broker/storage/time-lookup.ts', '      checkBatch(batch)\n', ''),
    ],
  }),
]

export const s14: readonly Plant[] = harmful('S14', {
  'age-by-client-timestamps': [
    'retention counts age from the timestamps that clients wrote',
    edit(writer, 'shared.wallClock.sealingMs()', 'old.maxTimestamp'),
  ],
  'sealed-by-jumped-clock': [
    'a segment that is sealed while the wall clock is far behind looks old when it is right again',
    edit(writer, 'shared.wallClock.sealingMs()', 'shared.clock.wallMs()'),
  ],
  'retention-trusts-jumped-clock': [
    'retention goes by a wall clock that has just jumped',
    edit('broker/storage/housekeeping.ts', 'if (jumpMs !== 0) {', 'if (jumpMs > 1e15) {'),
  ],
})

export const s15: readonly Plant[] = [
  ...harmful('S15', {
    'recovery-point-passes-owed-indexes': [
      'the recovery point passes a segment whose indexes are not on disk',
      edit(
        maintenance,
        'if (owed === undefined || end.segmentBase <= owed.baseOffset) return end',
        'if (owed === undefined || end.offset >= 0) return end',
      ),
    ],
    'index-not-fsynced': [
      'an index counts as on disk when it is written',
      edit(segment, 'await finalSync(file.sync())', ''),
    ],
    'recovery-believes-notes': [
      'recovery takes segments above the recovery point as they were noted, unread',
      edit(
        recovery,
        'if (base >= point.segmentBase || nextBase > foldFrom) return false',
        'if (nextBase > foldFrom) return false',
      ),
    ],
    'index-trusted-beyond-log': [
      'an index that points outside of its log is used',
      edit(offsetIndex, 'if (!ordered || !isWithin) return null', 'if (!ordered) return null'),
    ],
    'time-index-trusted-beyond-log': [
      'a time index that points outside of its log is used',
      edit(
        timeIndex,
        'if (!ordered || baseOffset + relative >= endOffset) return null',
        'if (!ordered) return null',
      ),
    ],
    'index-order-not-checked': [
      'an index whose entries are not in order is used as far as it goes',
      edit(
        offsetIndex,
        'if (!ordered || !isWithin) return null',
        'if (!ordered || !isWithin) break',
      ),
    ],
  }),
  ...harmless('S15', {
    'zero-tail-is-index': [
      'zeros at the end of an index are taken for entries',
      edit(offsetIndex, 'if (offset === 0 && position === 0) break\n', ''),
    ],
    'zero-tail-is-time-index': [
      'zeros at the end of a time index are taken for entries',
      edit(timeIndex, 'if (timestamp === 0 && relative === 0) break\n', ''),
    ],
  }),
]

export const s16: readonly Plant[] = harmless('S16', {
  'uncommitted-unbounded': [
    'appends are taken however much the disk is behind',
    edit(
      'broker/storage/log-rules.ts',
      'const bytes = shared.load.uncommittedBytes + batchBytes',
      'const bytes = 0 * batchBytes',
    ),
  ],
  'received-unbounded': [
    'requests are read however many are unanswered',
    edit(
      'broker/server/receive-budget.ts',
      'this.#heldBytes <= this.#maxBytes * crowdedShare',
      'this.#heldBytes >= 0',
    ),
  ],
  'held-unbounded': [
    'half-received messages and unread answers are kept however many there are',
    edit(
      'broker/server/held-watch.ts',
      'if (left <= stalledAboveBytes) return',
      'if (left >= 0) return',
    ),
  ],
  'answer-pins-chunk': [
    'a small answer holds on to the chunk of the file that it was found in',
    edit(
      reader,
      'return bytes.byteLength < bytes.buffer.byteLength / 2 ? bytes.slice() : bytes',
      'return bytes',
    ),
  ],
  'tail-pins-message': [
    'a small batch in the tail cache holds on to the message that it came in',
    edit(tail, 'const own = copy ? bytes.slice() : bytes', 'const own = bytes'),
  ],
  'slab-charged-short': [
    'a large batch in the tail cache is charged without the rest of its message',
    edit(
      tail,
      'const chargedBytes = copy ? bytes.byteLength : pinned',
      'const chargedBytes = bytes.byteLength',
    ),
  ],
})
