/**
 * Plants against the rules about state, S8 to S12 of the storage design.
 * Called by all-plants.ts.
 */
import { edit, harmful, harmless, type Plant } from '../plant.ts'

const producers = 'broker/storage/producer-state.ts'
const recovery = 'broker/storage/log-recovery.ts'
const writer = 'broker/storage/log-writer.ts'
const log = 'broker/storage/log.ts'
const request = 'client/producer/produce-request.ts'
const outcomes = 'client/producer/batch-outcomes.ts'
const sequences = 'client/producer/partition-sequences.ts'

export const s8: readonly Plant[] = harmful('S8', {
  'newer-snapshots-stay': [
    'producer snapshots beyond the end of a recovered log stay on disk',
    edit(recovery, 'await removeSnapshots(shared.disk, directory, later)', ''),
  ],
  'newer-snapshot-believed': [
    'a producer snapshot that tells of lost records is used as it is',
    edit(
      recovery,
      'recovery.foldFrom > recovery.segments.active.endOffset',
      'recovery.foldFrom > Infinity',
    ),
  ],
  'snapshot-of-what-is-pending': [
    'a producer snapshot tells of batches that are not on disk',
    edit(
      producers,
      '.map(([producerId, { marks }]) => [producerId, marks])\n  }\n\n  /** Replaces',
      `.map(([id, { marks }]) => [id, [...marks, ...(this.#overlay.get(id) ?? [])]])
  }

  /** Replaces`,
    ),
  ],
})

export const s9: readonly Plant[] = [
  ...harmful('S9', {
    'active-producer-expired': [
      'a new producer of a full table pushes out one that wrote a moment ago',
      edit(
        producers,
        'nowMs - this.#oldestAppendMs(nowMs) < this.#limits.minIdleMs',
        'this.#oldestAppendMs(nowMs) === Infinity',
      ),
    ],
    'producers-expire-by-first-batch': [
      'the producer that came first expires first, however much it writes',
      edit(
        producers,
        'this.#committed.delete(producerId)\n    this.#committed.set',
        'this.#committed.set',
      ),
    ],
  }),
  ...harmless('S9', {
    'producers-unbounded': [
      'the table of producers grows for ever',
      edit(
        producers,
        'if (this.#committed.size > this.#limits.maxProducers) this.#expireOldest()',
        'if (this.#committed.size < 0) this.#expireOldest()',
      ),
    ],
  }),
]

export const s10: readonly Plant[] = [
  ...harmful('S10', {
    'new-sequence-after-unknown-outcome': [
      'the SDK sends a batch whose outcome is unknown again under a new sequence',
      edit(
        request,
        'if (batch.isWritten) return batch',
        `if (batch.isWritten && batch.outcomeUnknown && queue.sequences !== undefined) {
      queue.sequences.stale = true
      stampProducer(batch.bytes, queue.stampFor(batch))
      queue.sequences.advance(batch.count)
      return batch
    }
    if (batch.isWritten) return batch`,
      ),
      edit(
        request,
        "import { SluiceError } from '../../protocol/errors.ts'",
        `import { SluiceError } from '../../protocol/errors.ts'
import { stampProducer } from '../../protocol/records/batch-header.ts'`,
      ),
    ],
    'unknown-outcome-forgotten': [
      'a batch is refused as not applied though one sending of it had no answer',
      edit(outcomes, 'if (error.maybeApplied) batch.outcomeUnknown = true', ''),
    ],
    'unknown-outcome-sent-again': [
      'without idempotence a batch whose outcome is unknown is sent again',
      edit(
        outcomes,
        'return error.retriable && !batch.outcomeUnknown && first && queue.inFlight === 0',
        'return error.retriable && first && queue.inFlight === 0',
      ),
    ],
  }),
  ...harmless('S10', {
    'broker-sequence-does-not-wrap': [
      'the broker expects sequence 2^31 after 2^31 - 1',
      edit(producers, 'return (sequence + count) % sequenceRange', 'return sequence + count'),
    ],
    'sdk-sequence-does-not-wrap': [
      'the SDK goes on to sequence 2^31',
      edit(
        sequences,
        'this.#next = next >= sequenceEnd ? next - sequenceEnd : next',
        'this.#next = next',
      ),
    ],
    'epoch-beyond-int16': [
      'the producer epoch goes beyond 32767',
      edit(sequences, 'if (this.#epoch < lastEpoch) {', 'if (this.#epoch >= 0) {'),
    ],
  }),
]

export const s11: readonly Plant[] = harmful('S11', {
  'producer-id-from-counter': [
    'producer ids are counted from 0 in each process, so those of two clients collide',
    edit(sequences, '  return random.bits(producerIdBits)\n', '  return 0\n'),
  ],
})

export const s12: readonly Plant[] = harmful('S12', {
  'unwritten-tail-served': [
    'with flush=os a record can be read before it is written',
    edit(
      log,
      'this.#logEndOffset = lastOffset + 1',
      `this.#logEndOffset = lastOffset + 1
    if (this.#settings.flush === 'os') this.#highWatermark = this.#logEndOffset`,
    ),
  ],
  'unclean-start-keeps-epoch': [
    'a start after a crash goes on under the old leader epoch',
    edit(
      recovery,
      'leaderEpoch = recovery.epochs.latestEpoch + 1',
      'leaderEpoch = Math.max(0, recovery.epochs.latestEpoch)',
    ),
  ],
  'epoch-of-lost-tail-again': [
    'the epoch that only the lost tail had is given out again',
    edit(
      recovery,
      'const leaderEpoch = recovery.epochs.latestEpoch + 1\n  recovery.epochs.cutEnd(end)',
      'recovery.epochs.cutEnd(end)\n  const leaderEpoch = recovery.epochs.latestEpoch + 1',
    ),
  ],
  'clean-stop-forgets-epoch': [
    'the epoch of a start that took no record is given out again after a clean stop',
    edit(
      'broker/storage/log-maintenance.ts',
      'await writer.writeOwedEpochs(log.leaderEpoch)\n',
      '',
    ),
    edit(
      'broker/storage/log-maintenance.ts',
      '...(this.#finished && { leaderEpoch: log.leaderEpoch }),',
      '',
    ),
  ],
  'epoch-not-durable': [
    'a new leader epoch is not on disk before its first batch is acked',
    edit(writer, 'if (this.#epochsDirty) await this.#writeEpochs()', ''),
  ],
  'fetch-ignores-epoch': [
    'the broker does not look at the epoch that a reader saw last',
    edit(
      'broker/server/fetch-target.ts',
      'return lastEpoch === undefined ? null : partition.divergence(offset, lastEpoch)',
      'return lastEpoch === -9 ? partition.divergence(offset, lastEpoch) : null',
    ),
  ],
  'consumer-sends-no-epoch': [
    'the SDK does not say which epoch it read last',
    edit(
      'client/consumer/fetcher.ts',
      '...(reader.lastEpoch !== undefined && { lastEpoch: reader.lastEpoch }),',
      '',
    ),
  ],
})
