/**
 * Counted world: the real world, whose timers are counted while they are to come.
 *
 * Always true: every timer of broker, SDK and transport is one of these, `background` or not (Node
 * itself tells only of those that keep a process alive); one that has run or was cancelled is not
 * counted.
 * Used by the measured broker and the SDK child; read by usage.ts.
 */
import { realTimers, realWorld } from '../../../protocol/real-world.ts'
import { webSocketNetwork } from '../../../protocol/transport/websocket.ts'
import type { Timers, World } from '../../../protocol/world.ts'

const live = new Set<object>()

/** Timers of this process that are still to run. */
export const liveTimers = (): number => live.size

const countedTimers: Timers = {
  after(delayMs, run, options) {
    const timer = {}
    live.add(timer)
    const runIt = (): void => {
      live.delete(timer)
      run()
    }
    const { cancel } = realTimers.after(delayMs, runIt, options)
    const forget = (): void => {
      live.delete(timer)
      cancel()
    }
    return { cancel: forget }
  },
  endOfTurn: realTimers.endOfTurn,
}

export async function countedWorld(): Promise<World> {
  const network = webSocketNetwork(countedTimers)
  return { ...(await realWorld()), timers: countedTimers, network }
}
