/**
 * Fetch credit: what --fetch-bytes makes of a consumer, so that the credit that is asked for is the
 * one that goes out.
 *
 * Always true: the buffer has room for the credit of every fetch that may be under way, so the
 * consumer asks for less only while its loop is behind; a credit that no consumer asks for is
 * refused. The broker's max.fetch.bytes bounds its answers besides.
 * Used by bench consume.
 */
import { groupCount } from '../../consumer/fetch-groups.ts'
import { checkRange } from './options.ts'

/** Larger answers do not fit the messages of the SDK; a test holds this to its settings. */
export const mostFetchBytes = 32 * 1024 * 1024
const usualBufferBytes = 16 * 1024 * 1024
/** Credits that a buffer holds: one is read while the next ones come. */
const creditsHeld = 4

export type FetchCredit = { readonly fetchBytes: number; readonly bufferBytes: number }

/** @throws SluiceError INVALID_ARGUMENT where the credit would not take effect */
export function requireCredit(fetchBytes: number): void {
  checkRange('fetch-bytes', fetchBytes, { min: 1, max: mostFetchBytes })
}

/** Of a consumer of so many partitions. */
export function fetchCredit(fetchBytes: number, partitions: number): FetchCredit {
  const held = fetchBytes * Math.max(creditsHeld, groupCount(partitions))
  return { fetchBytes, bufferBytes: Math.max(usualBufferBytes, held) }
}
