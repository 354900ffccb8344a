/**
 * Broker log: the log lines of `sluice start`, on stderr: for people on a terminal, JSON by pino
 * elsewhere.
 *
 * Always true: lines come in order; a line below the level costs a comparison; pino is loaded only
 * when there is a line to write, a moment later so that it does not hold up the start unless
 * something is wrong; lines that come meanwhile wait for it.
 * Used by start.
 */
import { showTime } from '../../client/cli/calendar.ts'
import type { Terminal } from '../../client/cli/terminal.ts'
import type { Clock, Timers } from '../../protocol/world.ts'
import type { Logger } from '../world/logger.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
type LineLevel = Exclude<LogLevel, 'silent'>
type WriteLine = (level: LineLevel, values: object, message: string) => void
/** Writes a line with the time at which it came, which may be a while ago. */
type WriteLateLine = (atMs: number, ...line: Parameters<WriteLine>) => void

export interface BrokerLog extends Logger {
  /** Resolves when every line so far is written. */
  flush(): Promise<void>
}

export interface BrokerLogOptions {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly timers: Timers
  readonly level: LogLevel
}

function loggerOf(level: LogLevel, write: WriteLine): Logger {
  const least = logLevels.indexOf(level)
  const at =
    (line: LineLevel) =>
    (values: object, message: string): void => {
      if (logLevels.indexOf(line) >= least) write(line, values, message)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function valueText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message)
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value
  return JSON.stringify(value) ?? String(value)
}

/** `08:30:00.250 warn  message  key=value` */
export function humanLine(level: string, values: object, message: string, nowMs: number): string {
  const pairs = Object.entries(values).map(([key, value]) => `  ${key}=${valueText(value)}`)
  return `${showTime(nowMs).slice(11, 23)} ${level.padEnd(5)} ${message}${pairs.join('')}\n`
}

/** An error as JSON can hold it: what it says, where it was thrown, and what was behind it. */
function errorValue(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  const code = (error as { code?: unknown }).code
  return { name, ...(code !== undefined && { code }), message, stack, ...causeOf(cause) }
}

const causeOf = (cause: unknown): object =>
  cause === undefined ? {} : { cause: cause instanceof Error ? cause.message : String(cause) }

async function loadPino(terminal: Terminal, level: LogLevel): Promise<WriteLateLine> {
  const { pino } = await import('pino')
  let timeMs = 0
  const stream = { write: (line: string): void => terminal.writeError(line) }
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${showTime(timeMs)}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // JSON knows nothing of an Error's message and stack
    serializers: { error: errorValue },
  }
  const logger = pino(options, stream)
  return (atMs, line, values, message) => {
    timeMs = atMs
    logger[line](values, message)
  }
}

const loadAfterMs = 100

export function openBrokerLog(options: BrokerLogOptions): BrokerLog {
  const { terminal, clock, timers, level } = options
  if (terminal.errorIsTty) {
    const logger = loggerOf(level, (line, values, message) => {
      terminal.writeError(humanLine(line, values, message, clock.wallMs()))
    })
    return { ...logger, flush: async () => {} }
  }
  let ready: WriteLateLine | null = null
  let loading: Promise<void> | null = null
  const waiting: Parameters<WriteLateLine>[] = []
  const load = async (): Promise<void> => {
    const write = await loadPino(terminal, level)
    for (const line of waiting) write(...line)
    waiting.length = 0
    ready = write
  }
  const loadNow = (): Promise<void> => {
    loading ??= load()
    return loading
  }
  const logger = loggerOf(level, (...line) => {
    if (ready !== null) return ready(clock.wallMs(), ...line)
    waiting.push([clock.wallMs(), ...line])
    if (line[0] === 'error') void loadNow()
    else if (waiting.length === 1) timers.after(loadAfterMs, loadNow, { background: true })
  })
  return { ...logger, flush: async () => (waiting.length > 0 ? loadNow() : undefined) }
}
