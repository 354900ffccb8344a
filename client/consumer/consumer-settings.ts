/**
 * Consumer settings: a consumer's options with their defaults.
 *
 * Always true: complete and within the ranges of config/options.ts.
 * Made by consumer.ts.
 */
import { maxReceivedMessageBytes } from '../cluster/broker-session.ts'
import { checkConsumer } from '../config/options.ts'
import type { ConsumerOptions, StartPosition } from '../types/consuming.ts'
import { checkStart } from './positions.ts'

export interface FetchSettings {
  readonly bufferBytes: number
  readonly fetchBytes: number
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly isolation: 'committed' | 'uncommitted'
  readonly checkCrc: boolean
  readonly noOffset: 'earliest' | 'latest' | 'error'
}

export interface ConsumerSettings extends FetchSettings {
  readonly start: StartPosition
  readonly stopAtEnd: boolean
  readonly onDecodeError: 'fail' | 'skip' | 'raw'
}

/** @throws SluiceError INVALID_ARGUMENT */
export function consumerSettings<K, V>(options: ConsumerOptions<K, V>): ConsumerSettings {
  checkConsumer(options)
  const start = options.start ?? 'earliest'
  checkStart(start)
  return {
    start,
    bufferBytes: options.bufferBytes ?? 16 * 1024 * 1024,
    fetchBytes: Math.min(options.fetchBytes ?? 4 * 1024 * 1024, maxReceivedMessageBytes / 2),
    maxWaitMs: options.maxWaitMs ?? 500,
    minBytes: options.minBytes ?? 1,
    isolation: options.isolation ?? 'committed',
    checkCrc: options.checkCrc ?? true,
    noOffset: options.noOffset ?? 'error',
    stopAtEnd: options.stopAtEnd ?? false,
    onDecodeError: options.onDecodeError ?? 'fail',
  }
}
