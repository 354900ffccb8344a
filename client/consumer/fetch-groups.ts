/**
 * Fetch groups: how a consumer spreads its partitions over fetches.
 *
 * Always true: pure; the groups of one consumer fit the fetches that may be under way.
 * Asked by fetcher.ts, and by the bench for how much may be under way.
 */

/** Fetches of one consumer that wait at one broker at once. */
export const maxFetchesPerBroker = 16
/**
 * Naming, checking and watching a partition costs both sides some microseconds in each fetch,
 * whether it has news or not, so a record must not make all of thousands be named again.
 */
const groupPartitions = 64

/** Partitions that one fetch names at most. */
export function groupSize(partitions: number): number {
  return Math.max(groupPartitions, Math.ceil(partitions / maxFetchesPerBroker))
}

/** Fetches that it takes to name each partition once. */
export function groupCount(partitions: number): number {
  return Math.ceil(partitions / groupSize(partitions))
}
