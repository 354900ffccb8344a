/**
 * Calls: what every call of the SDK shares: a logger, a signal and a deadline, the pace of
 * reconnecting.
 * Types alone.
 *
 * Always true: a call that waits takes a signal and has a deadline.
 * Used by the other files of this room; exported by client/index.ts.
 */

/** pino's shape: `logger.info({ broker: 1 }, 'connected')`. Silent by default. */
export interface Logger {
  debug(values: object, message: string): void
  info(values: object, message: string): void
  warn(values: object, message: string): void
  error(values: object, message: string): void
}

export interface ReconnectOptions {
  /** First delay; doubles per attempt up to maxMs, with full jitter. Default 100 and 10_000. */
  readonly baseMs?: number
  readonly maxMs?: number
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}
