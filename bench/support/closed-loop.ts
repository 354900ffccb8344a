/**
 * Closed loop: calls `send` again and again with at most `window` calls unanswered.
 *
 * Always true: one promise per call; it resolves when everything is answered; the first failure
 * ends it. The time of the last answer counts, so nothing that is only sent is in a rate.
 * Used by the lanes of bench/.
 */

export interface ClosedLoopOptions {
  /** Calls without an answer. */
  readonly window: number
  /** Nothing is sent after this time; performance.now(). */
  readonly endMs: number
  /** Most calls. Default: no limit. */
  readonly count?: number
  /** Calls of one turn of the event loop. Default: a quarter of the window, 4,096 at most. */
  readonly burst?: number
  send(): Promise<unknown>
}

export interface ClosedLoopResult {
  readonly answered: number
  readonly seconds: number
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export async function closedLoop(options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const { window, endMs, count = Number.POSITIVE_INFINITY, send } = options
  const burst = options.burst ?? Math.max(1, Math.min(4096, window >> 2))
  let sent = 0
  let answered = 0
  let failure: unknown
  let wakeAt = -1
  let wake: () => void = () => {}
  const stepped = (): void => {
    answered++
    if (sent - answered <= wakeAt) wake()
  }
  const failed = (error: unknown): void => {
    failure ??= error
    stepped()
  }
  const downTo = async (limit: number): Promise<void> => {
    while (sent - answered > limit) {
      wakeAt = limit
      await new Promise<void>(resolve => {
        wake = resolve
      })
      wakeAt = -1
    }
  }
  const startMs = performance.now()
  while (failure === undefined && sent < count && performance.now() < endMs) {
    const room = Math.min(burst, window - (sent - answered), count - sent)
    for (let n = 0; n < room; n++) send().then(stepped, failed)
    sent += room
    if (sent - answered >= window) await downTo(window - burst)
    else await turn()
  }
  await downTo(0)
  if (failure !== undefined) throw failure
  return { answered, seconds: (performance.now() - startMs) / 1000 }
}
