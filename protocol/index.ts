/**
 * Protocol: what travels between a client and a broker and what lies in a segment, for those who
 * write a client, a proxy or a tool of their own: frames, messages, record batches, errors, and the
 * world interfaces.
 *
 * Always true: nothing here opens a file or a socket; the wire is described by data (`apis`), so a
 * tool can walk it. The package's entry `sluice/protocol`.
 */

export { canonicalJson, isCanonicalJson } from './bytes/canonical-json.ts'
export { crc32c } from './bytes/crc32c.ts'
export { openCompression } from './compression/compression.ts'
export {
  asSluiceError,
  type ErrorCode,
  type ErrorDetails,
  errorTable,
  SluiceError,
  type WireError,
} from './errors.ts'
export {
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameHeader,
  subprotocol,
} from './frame.ts'
export { type ApiName, type Apis, apis } from './messages/apis.ts'
export {
  type Api,
  checkMessage,
  type Field,
  type Infer,
  type RequestOf,
  type ResponseOf,
  type Shape,
} from './messages/define.ts'
export {
  BatchBuilder,
  type RecordHeader,
  type RecordInput,
} from './records/batch-builder.ts'
export {
  type BatchHeader,
  batchHeaderBytes,
  checkBatch,
  checkProducedBatch,
  readBatchHeader,
} from './records/batch-header.ts'
export { eachBatch } from './records/batches.ts'
export { readControlRecord } from './records/control-record.ts'
export { RecordCursor, readRecords, type StoredRecord } from './records/record-reader.ts'
export type {
  Clock,
  Compression,
  CompressionCodec,
  Connection,
  ConnectionEvents,
  Network,
  Random,
  Timers,
  World,
} from './world.ts'
