/**
 * Log followers: who waits for one record to be committed, and who wants to know whenever the log
 * moves.
 *
 * Always true: a waiter is answered exactly once, never inside the call that added it; after `end`
 * everybody who still comes is told that the log is closed.
 * Called by log.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { CommitWaiters } from './commit-waiters.ts'

type Done = (error: SluiceError | null) => void

export class LogFollowers {
  readonly #waiters = new CommitWaiters()
  readonly #listeners = new Set<() => void>()
  #ended = false

  /** `log` as it is at the moment of the call. */
  wait(
    lastOffset: number,
    log: { readonly highWatermark: number; readonly logEndOffset: number },
    done: Done,
  ): void {
    if (lastOffset < log.highWatermark) answerLater(done, null)
    else if (this.#ended) answerLater(done, closed())
    else if (lastOffset >= log.logEndOffset) answerLater(done, dropped())
    else this.#waiters.add(lastOffset, done)
  }

  listen(callback: () => void): () => void {
    this.#listeners.add(callback)
    return () => this.#listeners.delete(callback)
  }

  committed(endOffset: number): void {
    this.#waiters.commit(endOffset)
    this.moved()
  }

  /** The high watermark or the log start moved. */
  moved(): void {
    if (this.#listeners.size === 0) return
    // A copy: a listener that subscribes again while it is called is not called again for the same
    // move.
    for (const listener of [...this.#listeners]) listener()
  }

  /** A full disk: nothing that is not committed was written. */
  dropped(): void {
    this.#waiters.fail(dropped())
  }

  end(): void {
    this.#ended = true
    this.#waiters.fail(closed())
    this.moved()
    this.#listeners.clear()
  }
}

function answerLater(done: Done, error: SluiceError | null): void {
  void Promise.resolve().then(() => done(error))
}

function dropped(): SluiceError {
  const why = 'the disk is full: the batch was not written'
  return new SluiceError('DISK_FULL', why, { retryAfterMs: 1000 })
}

function closed(): SluiceError {
  const why = 'the log was closed before the batch was known to be safe'
  return new SluiceError('CLOSED', why, { maybeApplied: true })
}
