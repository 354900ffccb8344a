/**
 * Calm logger: lets a storm of equal lines be told instead of written: of one event at most twenty
 * lines come in ten seconds, and then how many more there were.
 *
 * Always true: errors always come, and debug lines too, because who wants them wants them all; what
 * was held back is counted and told, at the latest when the broker ends; memory is bounded by the
 * number of events.
 * Put around the broker's logger by broker.ts.
 */
import type { TimerHandle } from '../../protocol/world.ts'
import type { LogEvent } from '../world/log-events.ts'
import type { Logger } from '../world/logger.ts'
import type { BrokerWorld } from '../world/world.ts'

export const maxLines = 20
export const windowMs = 10_000

interface Storm {
  readonly untilMs: number
  lines: number
  heldBack: number
  timer: TimerHandle | null
}

export interface CalmLogger extends Logger {
  /** Tells what is still held back. */
  end(): void
}

type Level = 'info' | 'warn'

export function calmLogger(
  logger: Logger,
  { clock, timers }: Pick<BrokerWorld, 'clock' | 'timers'>,
): CalmLogger {
  const storms = new Map<string, Storm>()
  const tell = (event: string, storm: Storm): void => {
    storms.delete(event)
    storm.timer?.cancel()
    if (storm.heldBack === 0) return
    const heldBack: LogEvent = 'lines-held-back'
    const values = { event: heldBack, of: event, lines: storm.heldBack }
    logger.warn(values, `more lines like this were held back: ${event}`)
  }
  const stormOf = (event: string): Storm => {
    const nowMs = clock.monotonicMs()
    const known = storms.get(event)
    if (known !== undefined && nowMs < known.untilMs) return known
    if (known !== undefined) tell(event, known)
    const storm = { untilMs: nowMs + windowMs, lines: 0, heldBack: 0, timer: null }
    storms.set(event, storm)
    return storm
  }
  const calm = (level: Level) => (values: object, message: string) => {
    const event = String((values as { event?: unknown }).event ?? message)
    const storm = stormOf(event)
    if (++storm.lines <= maxLines) {
      logger[level](values, message)
      return
    }
    storm.heldBack++
    storm.timer ??= timers.after(windowMs, () => tell(event, storm), { background: true })
  }
  return {
    debug: (values, message) => logger.debug(values, message),
    info: calm('info'),
    warn: calm('warn'),
    error: (values, message) => logger.error(values, message),
    end: () => {
      for (const [event, storm] of [...storms]) tell(event, storm)
    },
  }
}
