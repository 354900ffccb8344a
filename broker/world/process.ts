/**
 * Process: what the broker may ask of its own process: to end it. Real in real-process.ts; in the
 * simulator `die` kills one simulated broker, and nothing of it runs afterwards.
 *
 * Called by storage (a failed fsync), by the composition root (a broken invariant).
 */
export interface Process {
  /**
   * Ends the process at once, loudly: nothing is flushed, nobody is answered. For what must never
   * be carried on from: a failed fsync, a write EIO, a broken invariant. Callers must do nothing
   * after it.
   */
  die(reason: string, cause?: unknown): void
}
