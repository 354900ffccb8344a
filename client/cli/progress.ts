/**
 * Progress: one line on stderr that says how far long work has come.
 *
 *   on a terminal: after 1 s, rewritten 10 times a second · otherwise: one line each 10 s · never under -q or CI
 *
 * Always true: it writes only to stderr and leaves a clean line behind; its timer does not keep the
 * process alive.
 * Used by produce, consume and bench.
 */
import type { TimerHandle, World } from '../../protocol/world.ts'
import type { Terminal } from './terminal.ts'

export interface ProgressOptions {
  readonly terminal: Terminal
  readonly world: World
  readonly quiet: boolean
  /** The line as of now, without its end; `elapsedMs` since the start. */
  readonly line: (elapsedMs: number) => string
  /** Where stderr is no terminal: a line this often; null = only what is noted. Default 10 s. */
  readonly lineEveryMs?: number | null
}

const firstMs = 1000
const rewriteMs = 100
const defaultLineEveryMs = 10_000

export class Progress {
  readonly #options: ProgressOptions
  readonly #startMs: number
  readonly #rewrites: boolean
  readonly #isSilent: boolean
  readonly #lineEveryMs: number | null
  #timer: TimerHandle | null = null
  #shown = false

  constructor(options: ProgressOptions) {
    const { terminal, quiet, world } = options
    this.#options = options
    this.#startMs = world.clock.monotonicMs()
    this.#rewrites = terminal.errorIsTty
    const inCi = terminal.env.CI !== undefined && terminal.env.CI !== ''
    this.#isSilent = quiet || inCi
    const { lineEveryMs = defaultLineEveryMs } = options
    this.#lineEveryMs = this.#rewrites ? rewriteMs : lineEveryMs
    this.#arm(this.#rewrites ? firstMs : this.#lineEveryMs)
  }

  get elapsedMs(): number {
    return this.#options.world.clock.monotonicMs() - this.#startMs
  }

  #arm(delayMs: number | null): void {
    if (this.#isSilent || delayMs === null) return
    this.#timer = this.#options.world.timers.after(delayMs, () => this.#show(), {
      background: true,
    })
  }

  #show(): void {
    const { terminal, line } = this.#options
    const text = line(this.elapsedMs)
    if (this.#rewrites) {
      const cut = text.slice(0, Math.max(10, terminal.columns() - 1))
      terminal.writeError(`\r\u001b[2K${cut}`)
      this.#shown = true
    } else terminal.writeError(`${text}\n`)
    this.#arm(this.#lineEveryMs)
  }

  /** Writes a line that stays, under the same rules. */
  note(text: string): void {
    if (this.#isSilent) return
    this.#clear()
    this.#options.terminal.writeError(`${text}\n`)
  }

  /** Takes the line away. Idempotent. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#clear()
  }

  #clear(): void {
    if (this.#shown) this.#options.terminal.writeError('\r\u001b[2K')
    this.#shown = false
  }
}
