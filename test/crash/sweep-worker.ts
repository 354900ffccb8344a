/**
 * Sweep worker: one process of the corruption sweep, which checks its share of the cases.
 *
 * Always true: it says where it is at least every few seconds while it gets on; it ends by itself.
 * Started by sweep-lane.ts.
 */
import { emptyState, type SweepShare, sweep } from './sweep.ts'

const reportEveryMs = 1000

process.once('message', async message => {
  const state = emptyState()
  let nextReportMs = 0
  await sweep(message as SweepShare, state, () => {
    const nowMs = performance.now()
    if (nowMs < nextReportMs) return
    nextReportMs = nowMs + reportEveryMs
    process.send?.(state)
  })
  process.send?.(state, () => process.disconnect())
})
