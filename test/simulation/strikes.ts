/**
 * Strikes: how often each kind of fault really struck, which is not how often it was drawn: a crash
 * beside a call to the disk that never came, or a sync that should fail in a moment without one,
 * proves nothing.
 *
 * Always true: a fault is counted when it takes effect, at most once in a round of trouble.
 * Counted by scenarios into `world.strikes`, added up by scenario.ts, judged by run.ts.
 */
import type { DiskFault, DiskOperation } from './sim-disk.ts'

export type Strikes = Map<string, number>

export function count(strikes: Strikes, kind: string, times = 1): void {
  strikes.set(kind, (strikes.get(kind) ?? 0) + times)
}

export function addTo(total: Strikes, more: Strikes): void {
  for (const [kind, times] of more) count(total, kind, times)
}

/** A fault of a disk: `next` with `onFirst` called when it first bites. */
export function watched(
  next: (operation: DiskOperation) => DiskFault | undefined,
  onFirst: () => void,
): (operation: DiskOperation) => DiskFault | undefined {
  let hasBitten = false
  return operation => {
    const fault = next(operation)
    if (fault !== undefined && !hasBitten) {
      hasBitten = true
      onFirst()
    }
    return fault
  }
}

/** The next `times` calls of that name fail, as with a disk that then forgets. */
export function failing(
  name: DiskOperation['name'],
  times: number,
): (operation: DiskOperation) => DiskFault | undefined {
  let left = times
  return operation => (operation.name === name && left-- > 0 ? { error: 'io' } : undefined)
}
