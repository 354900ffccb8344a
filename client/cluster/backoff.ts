/**
 * Backoff: how long to wait before trying again, and the waiting itself, on the injected clock and
 * chance.
 *
 * Always true: a delay lies in [0, min(maxMs, baseMs · 2^(attempt-1))], uniformly (full jitter), so
 * that clients cut off by one event do not come back in one moment.
 * Called by broker-link.ts and metadata-cache.ts, producer/sender.ts and consumer/fetcher.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Random, Timers } from '../../protocol/world.ts'

export interface BackoffRange {
  readonly baseMs: number
  readonly maxMs: number
}

/** Delay before attempt `attempt` + 1 after `attempt` failures in a row, milliseconds. */
export function backoffMs(attempt: number, range: BackoffRange, random: Random): number {
  const ceiling = Math.min(range.maxMs, range.baseMs * 2 ** Math.min(attempt - 1, 30))
  return random.fraction() * ceiling
}

/** The error of an aborted call. */
export function abortedError(signal: AbortSignal, maybeApplied = false): SluiceError {
  return new SluiceError('ABORTED', 'the call was aborted', { cause: signal.reason, maybeApplied })
}

/** Waits; rejects at once with ABORTED when `signal` fires. */
export function sleep(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortedError(signal))
    const onAbort = (): void => {
      timer.cancel()
      if (signal !== undefined) reject(abortedError(signal))
    }
    const timer = timers.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export interface Limits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** What took too long, for the message. */
  readonly what: string
  /** The error when time is up; default REQUEST_TIMED_OUT. */
  readonly onTimeout?: () => SluiceError
}

/**
 * `work`, but no longer than `timeoutMs`, and not after `signal`. The work itself goes on
 * unobserved.
 */
export function within<T>(timers: Timers, work: Promise<T>, limits: Limits): Promise<T> {
  const { timeoutMs, signal, what } = limits
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      work.catch(() => undefined)
      return reject(abortedError(signal))
    }
    const late = (): SluiceError =>
      limits.onTimeout?.() ??
      new SluiceError('REQUEST_TIMED_OUT', `${what}: no answer within ${timeoutMs} ms`)
    const end = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      end()
      if (signal !== undefined) reject(abortedError(signal))
    }
    const onTimer = (): void => {
      end()
      reject(late())
    }
    const timer = timers.after(timeoutMs, onTimer)
    signal?.addEventListener('abort', onAbort, { once: true })
    work.then(
      value => {
        end()
        resolve(value)
      },
      error => {
        end()
        reject(error)
      },
    )
  })
}
