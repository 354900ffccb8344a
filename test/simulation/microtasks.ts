/**
 * Microtasks: running all waiting promise reactions to the end between two events, synchronously.
 *
 * Always true: `drainMicrotasks` is either a function that was seen to drain a chain of promises,
 * or undefined (Node does not promise `process._tickCallback`), and then the scheduler gives each
 * event a turn of its own.
 * Called by scheduler.ts, from a macrotask: inside a microtask V8 would not drain at all.
 */
type Drain = () => void

/** Node's own turn of `process.nextTick` and promise reactions, if it still has one that works. */
export function drainMicrotasks(): Drain | undefined {
  const { _tickCallback: tick } = process as { _tickCallback?: unknown }
  if (typeof tick !== 'function') return undefined
  const drain: Drain = () => tick.call(process)
  let hops = 0
  const hop = async (): Promise<void> => {
    for (; hops < 5; hops++) await undefined
  }
  void hop()
  drain()
  return hops === 5 ? drain : undefined
}
