/**
 * RealProcess: ends the real process; the only file that calls `process.exit` on the broker's
 * behalf.
 *
 * Always true: the reason is written before the process is gone, also when the logger itself fails,
 * and nothing of the broker runs after `die`.
 * Made once in the composition root.
 */
import type { Process } from './process.ts'

/** sysexits.h calls it EX_SOFTWARE: the program cannot go on. */
const exitCode = 70

export class RealProcess implements Process {
  readonly #log: (line: string) => void

  /** `log` writes one line before it returns; default: stderr. */
  constructor(log: (line: string) => void = line => process.stderr.write(`${line}\n`)) {
    this.#log = log
  }

  die(reason: string, cause?: unknown): never {
    try {
      this.#log(`FATAL: ${reason}; the broker ends now${described(cause)}`)
    } finally {
      process.exit(exitCode)
    }
  }
}

function described(cause: unknown): string {
  if (cause === undefined) return ''
  return `\n${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`
}
