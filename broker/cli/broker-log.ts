/**
 * Broker log: the log lines of `sluice start`, on stderr: for people on a terminal, JSON by pino
 * elsewhere.
 *
 * Always true: lines come in order; a line below the level costs a comparison; pino is loaded only
 * when there is a line to write, and lines that come meanwhile wait for it.
 * Used by start.
 */
import { showTime } from '../../client/cli/calendar.ts'
import type { Terminal } from '../../client/cli/terminal.ts'
import type { Clock } from '../../protocol/world.ts'
import type { Logger } from '../world/logger.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
type LineLevel = Exclude<LogLevel, 'silent'>
type WriteLine = (level: LineLevel, values: object, message: string) => void

export interface BrokerLog extends Logger {
  /** Resolves when every line so far is written. */
  flush(): Promise<void>
}

export interface BrokerLogOptions {
  readonly terminal: Terminal
  readonly clock: Clock
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

async function loadPino(terminal: Terminal, level: LogLevel): Promise<WriteLine> {
  const { pino } = await import('pino')
  const stream = { write: (line: string): void => terminal.writeError(line) }
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const logger = pino(options, stream)
  return (line, values, message) => logger[line](values, message)
}

export function openBrokerLog({ terminal, clock, level }: BrokerLogOptions): BrokerLog {
  if (terminal.errorIsTty) {
    const logger = loggerOf(level, (line, values, message) => {
      terminal.writeError(humanLine(line, values, message, clock.wallMs()))
    })
    return { ...logger, flush: async () => {} }
  }
  let ready: WriteLine | null = null
  let loading: Promise<void> | null = null
  const waiting: Parameters<WriteLine>[] = []
  const load = async (): Promise<void> => {
    const write = await loadPino(terminal, level)
    for (const line of waiting) write(...line)
    waiting.length = 0
    ready = write
  }
  const logger = loggerOf(level, (...line) => {
    if (ready !== null) ready(...line)
    else {
      waiting.push(line)
      loading ??= load()
    }
  })
  return { ...logger, flush: async () => loading ?? undefined }
}
