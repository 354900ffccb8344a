/**
 * The SDK's door: everything that a program which uses Sluice imports.
 *
 * Always true: nothing else in client/ is public; types come without code.
 */
export { type ErrorCode, errorTable, SluiceError, type WireError } from '../protocol/errors.ts'
export type { OffsetSpec } from '../protocol/messages/list-offsets.ts'
export type { Acks } from '../protocol/messages/produce.ts'
export type { CompressionCodec, World } from '../protocol/world.ts'
export { connect } from './client.ts'
export { bytes, int32, int64, json, jsonKey, string } from './codecs/codecs.ts'
export type { StandardSchema } from './codecs/standard-schema.ts'
export { SendError } from './producer/send-error.ts'
export type * from './types/administering.ts'
export type * from './types/calls.ts'
export type * from './types/client.ts'
export type * from './types/codecs.ts'
export type * from './types/consuming.ts'
export type * from './types/producing.ts'
