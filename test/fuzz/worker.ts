/**
 * Worker: one process of the lane. It runs ranges of executions that it is told, one at a time.
 *
 *   lane ── {target, seed, from, to, careful} ──> worker ── result ──> lane
 *
 * Always true: with `careful` the number of each execution is written to the pipe on descriptor 4
 * before it begins, so that the one that never ends, or takes the process with it, is known.
 * Started by lane.ts.
 */
import { writeSync } from 'node:fs'
import { targetNamed } from './arguments.ts'
import { Engine, type RangeResult } from './engine.ts'

export interface Task {
  readonly target: string
  readonly seed: number
  readonly from: number
  readonly to: number
  readonly careful: boolean
}

export interface TaskDone {
  readonly task: Task
  readonly result: RangeResult
}

const progressDescriptor = 4

/** The lane sends nothing but tasks. */
process.on('message', async (task: Task) => {
  const engine = new Engine(targetNamed(task.target))
  const number = new Uint8Array(8)
  const view = new DataView(number.buffer)
  const tell = (index: number) => {
    view.setFloat64(0, index)
    writeSync(progressDescriptor, number)
  }
  const { seed, from, to } = task
  const result = await engine.run({ seed, from, to, ...(task.careful && { onStart: tell }) })
  const done: TaskDone = { task, result }
  process.send?.(done)
})
