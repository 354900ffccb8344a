/**
 * The figures of the curve of partitions, and why they bend.
 *
 * Always true: a cause is our explanation, and no run proves it; it is printed only where a run
 * bends for the worse.
 * Used by partitions.ts.
 */
import type { SeriesPlan } from './curve.ts'

export const partitionSeries: readonly SeriesPlan[] = [
  {
    key: 'waveMs',
    label: 'A wave, fsynced',
    unit: 'ms',
    good: 'less',
    cause: 'Each dirty partition is a file with an fdatasync of its own.',
  },
  {
    key: 'osWaveMs',
    label: 'A wave with flush=os',
    unit: 'ms',
    good: 'less',
    cause: 'What is left without fsyncs: a write and a commit round per partition.',
  },
  {
    key: 'filesMs',
    label: 'The disk alone: a write and fdatasync per file, 8 at once',
    unit: 'ms',
    good: 'less',
    cause:
      'Each fdatasync writes the data and the inode of one file and flushes the device; on a ' +
      'file system with a journal it waits for a commit of that.',
  },
  {
    key: 'journalMs',
    label: 'The disk alone: the same bytes in one file',
    unit: 'ms',
    good: 'less',
    cause: 'One fdatasync, whatever the number: only the bytes grow.',
  },
  {
    key: 'journalGain',
    label: 'How much faster a wave could be with one journal for all partitions, at most',
    unit: 'times',
    good: 'less',
    cause: '',
  },
  {
    key: 'produceRate',
    label: 'Produce, as fast as acks come',
    unit: 'records/s',
    good: 'more',
    cause:
      'The records in the air are spread thinner: a batch, a write and an fsync for few of them.',
  },
  {
    key: 'produceBrokerUs',
    label: 'Broker CPU of a record produced',
    unit: 'µs',
    good: 'less',
    cause: 'The cost is per batch, and batches become small.',
  },
  {
    key: 'fetchMs',
    label: 'One record to a consumer that waits at all partitions',
    unit: 'ms',
    good: 'less',
    cause:
      'A woken fetch names its whole group in the answer and in the next fetch, as JSON, on both ' +
      'sides: 64 partitions, or a sixteenth of all where that is more.',
  },
  {
    key: 'fetchBrokerMs',
    label: 'Broker CPU of that',
    unit: 'ms',
    good: 'less',
    cause:
      'Checking, watching and answering each partition of the group, whether it has news or not.',
  },
  {
    key: 'fetchOneMs',
    label: 'One record to a consumer that waits at one of the partitions',
    unit: 'ms',
    good: 'less',
    cause: '',
  },
  {
    key: 'sessionGain',
    label: 'How much faster it could be if a fetch named only what changed, at most',
    unit: 'times',
    good: 'less',
    cause: 'A record wakes the fetch of its group only, and names that group again.',
  },
  {
    key: 'drainRate',
    label: 'Consume everything',
    unit: 'records/s',
    good: 'more',
    cause: 'A batch per partition holds fewer records, and each costs a fetch entry and a batch.',
  },
  { key: 'createMs', label: 'Creating the topic', unit: 'ms', good: 'less', cause: '' },
  {
    key: 'kibPerPartition',
    label: 'Broker memory of an empty partition (resident)',
    unit: 'KiB',
    good: 'less',
    cause: '',
  },
]
