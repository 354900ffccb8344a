/**
 * Logger: where the broker says what happened, in pino's shape. Silent by default; broker/cli hands
 * in a pino.
 *
 * Always true: a line is one call, values first; nothing here keeps records' contents or secrets.
 * Used by every room of the broker, handed down from the composition root.
 */
export interface Logger {
  debug(values: object, message: string): void
  info(values: object, message: string): void
  warn(values: object, message: string): void
  error(values: object, message: string): void
}

const say = (): void => {}

/** Says nothing. */
export const silentLogger: Logger = { debug: say, info: say, warn: say, error: say }
