/**
 * In parallel: many steps, a few at a time.
 *
 * Always true: at most `maxAtOnce` steps are under way; when it settles none is: after a failure no
 * further step begins, those under way are waited for, and the first error is thrown.
 * Called where partitions are opened, closed and deleted in numbers.
 */
export async function inParallel<T>(
  items: readonly T[],
  maxAtOnce: number,
  step: (item: T) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length && failures.length === 0) {
      const item = items[next++] as T
      await step(item).catch(error => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(maxAtOnce, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}

/** Partitions that are opened or deleted at the same time; more only wait for the same disk. */
export const maxParallelPartitions = 32
