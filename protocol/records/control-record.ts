/**
 * Control record: the marker that ends a transaction in a partition; the only record of a control
 * batch.
 *
 *   key    version i16 = 0 | type i16 (0 abort, 1 commit; Kafka's metadata log has others)
 *   value  version i16 = 0 | coordinator epoch i32
 *
 * Always true: fields that a later version adds behind these are ignored, as Kafka does.
 * Called by the broker's storage (open and aborted transactions) and by tools; consumers skip
 * control batches.
 */
import { readInt16, readInt32, writeInt16, writeInt32 } from '../bytes/integers.ts'
import { SluiceError } from '../errors.ts'
import type { Compression } from '../world.ts'
import { BatchBuilder } from './batch-builder.ts'
import { type BatchHeader, batchHeaderBytes } from './batch-header.ts'
import { RecordCursor } from './record-reader.ts'

export interface ControlRecord {
  /** `other`: a kind that has no meaning in a topic's log. */
  readonly type: 'abort' | 'commit' | 'other'
  /** −1 for `other`. */
  readonly coordinatorEpoch: number
}

export interface TransactionMarker {
  readonly type: 'abort' | 'commit'
  readonly coordinatorEpoch: number
  readonly timestamp: number
  readonly producerId: number
  readonly producerEpoch: number
}

const types = ['abort', 'commit'] as const
const keyBytes = 4
const valueBytes = 6

/** @throws SluiceError CORRUPT_MESSAGE */
export function readControlRecord(key: Uint8Array | null, value: Uint8Array | null): ControlRecord {
  if (key === null || key.length < keyBytes || readInt16(key, 0) < 0) {
    throw new SluiceError('CORRUPT_MESSAGE', 'A control record has no key of a known form.')
  }
  const type = types[readInt16(key, 2)]
  if (type === undefined) return { type: 'other', coordinatorEpoch: -1 }
  if (value === null || value.length < valueBytes || readInt16(value, 0) < 0) {
    throw new SluiceError('CORRUPT_MESSAGE', `The ${type} marker has no value of a known form.`)
  }
  return { type, coordinatorEpoch: readInt32(value, 2) }
}

/** The marker in a control batch. @throws SluiceError CORRUPT_MESSAGE, also where there is none */
export function readControlBatch(
  batch: Uint8Array,
  header: BatchHeader,
  compression: Compression,
): ControlRecord {
  const cursor = new RecordCursor(batch, header, compression)
  if (!header.isControl || !cursor.next()) {
    throw new SluiceError('CORRUPT_MESSAGE', 'A control batch without a control record.')
  }
  return readControlRecord(cursor.key(), cursor.value())
}

/** A marker's control batch: base offset 0 and leader epoch −1 until a leader patches them. */
export function buildControlBatch(marker: TransactionMarker): Uint8Array {
  const key = new Uint8Array(keyBytes)
  writeInt16(key, 2, types.indexOf(marker.type))
  const value = new Uint8Array(valueBytes)
  writeInt32(value, 2, marker.coordinatorEpoch)
  const builder = new BatchBuilder({ capacityBytes: batchHeaderBytes })
  builder.appendParts(marker.timestamp, key, value)
  return builder.build({
    codec: 'none',
    isTransactional: true,
    isControl: true,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    baseSequence: -1,
  })
}
