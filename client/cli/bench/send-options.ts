/**
 * Send options: what the benches that write are told about their records and batches.
 *
 * Always true: a producer's buffer is larger than what may be in the air, so a record never waits
 * for room and the SDK has copied its bytes when `send` returns.
 * Used by bench produce, e2e and connections.
 */
import type { InferredOptionTypes } from 'yargs'
import { compressionCodecs } from '../../../protocol/world.ts'
import type { ProducerOptions } from '../../types/producing.ts'
import type { OptionTable } from '../command.ts'
import { parseAcks } from '../produce.ts'
import { parseDuration, parseSize } from '../units.ts'
import { parseKeyPlan, parseSizeRange } from './options.ts'
import { checkPayload, type PayloadPlan } from './payload.ts'

export const sendOptions = {
  size: {
    type: 'string',
    coerce: parseSizeRange,
    default: '128B',
    describe: 'Bytes of a value, or a range as 100B-1KiB',
  },
  value: {
    type: 'string',
    choices: ['random', 'json'],
    default: 'random',
    describe: 'What values are made of',
  },
  key: {
    type: 'string',
    coerce: parseKeyPlan,
    default: 'none',
    describe: 'none, random, or how many different ones',
  },
  acks: { type: 'string', coerce: parseAcks, default: 'all', describe: 'all, leader, none' },
  'batch-bytes': {
    type: 'string',
    coerce: parseSize,
    default: '1MiB',
    describe: 'Size at which a batch is sealed',
  },
  linger: {
    type: 'string',
    coerce: parseDuration,
    default: '0ms',
    describe: 'Wait for more records before a batch is sent',
  },
  compression: {
    alias: 'z',
    type: 'string',
    choices: compressionCodecs,
    default: 'none',
    describe: 'Codec of the batches',
  },
} as const satisfies OptionTable
export type SendArgs = InferredOptionTypes<typeof sendOptions>

/** What a record costs in a batch besides its bytes, generously. */
const recordOverheadBytes = 40
const largestKeyBytes = 16
const smallestBufferBytes = 32 * 1024 * 1024

/** @throws SluiceError INVALID_ARGUMENT */
export function payloadPlan(args: SendArgs, isStamped: boolean): PayloadPlan {
  const value = args.value === 'json' ? 'json' : 'random'
  const isCompressed = args.compression !== 'none'
  const plan = { size: args.size, value, keys: args.key, isStamped, isCompressed } as const
  checkPayload(plan)
  return plan
}

/** Bytes of the largest record as it lies in a batch. */
export const recordBytes = ({ size }: PayloadPlan): number =>
  size.max + largestKeyBytes + recordOverheadBytes

/** `inTheAir`: records of one client without an ack. */
export function producerOptions(
  args: SendArgs,
  payload: PayloadPlan,
  inTheAir: number,
): ProducerOptions {
  const held = 2 * inTheAir * recordBytes(payload) + 2 * args['batch-bytes']
  return {
    batchBytes: args['batch-bytes'],
    acks: args.acks,
    compression: args.compression,
    lingerMs: args.linger,
    bufferBytes: Math.max(smallestBufferBytes, held),
  }
}
