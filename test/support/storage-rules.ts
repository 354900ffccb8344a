/**
 * Storage rules: what the tests of the S-rules have in common.
 *
 * Always true: segments are so small that a few batches make several of them.
 * Called by test/broker/storage/rules-*.test.ts.
 */
import { segmentFileName } from '../../broker/storage/file-names.ts'
import type { CrashRun } from './crash-run.ts'

export const settings = { segmentBytes: 400, indexIntervalBytes: 100 }
export const directory = '/data/orders-0'
export const logPath = (base: number) => `${directory}/${segmentFileName(base, 'log')}`

/** A gate that a call can be held at. */
export function gate(): { wait: Promise<void>; open: () => void } {
  let open = () => {}
  const wait = new Promise<void>(resolve => {
    open = resolve
  })
  return { wait, open }
}

export async function fill(run: CrashRun, batches: number): Promise<void> {
  for (let i = 0; i < batches; i++) {
    run.append(3)
    await run.settle()
  }
}
