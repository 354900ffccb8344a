/**
 * Fragile worker: a worker process that is lost on purpose, for the test of the lane:
 *
 *   at-once        before its first execution
 *   at <index>     in that execution, each time
 *   once <file>    the first time only; the file remembers
 *   hang <index>   says nothing more in that execution
 *
 * Always true: apart from that it answers each range as run, with nothing found.
 * Started by lane.test.ts in the place of worker.ts.
 */
import { existsSync, writeFileSync, writeSync } from 'node:fs'
import type { RangeResult } from './engine.ts'
import type { Task, TaskDone } from './worker.ts'

const [mode, word = ''] = process.argv.slice(2)

function tell(index: number): void {
  const number = Buffer.alloc(8)
  number.writeDoubleBE(index)
  writeSync(4, number)
}

function isLostOnce(): boolean {
  if (mode !== 'once' || existsSync(word)) return false
  writeFileSync(word, '')
  return true
}

function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

process.on('message', (task: Task) => {
  const { from, to, careful } = task
  const index = Number(word)
  if (mode === 'at-once' || isLostOnce()) return end()
  const isMet = (mode === 'at' || mode === 'hang') && index >= from && index < to
  for (let n = from; careful && n <= (isMet ? index : to - 1); n++) tell(n)
  if (isMet) return mode === 'at' ? end() : undefined
  const executions = to - from
  const times = { ms: 1, cpuMs: 1, slowestMs: 1 }
  const result: RangeResult = { executions, ...times, stages: {}, findings: [] }
  const done: TaskDone = { task, result }
  process.send?.(done)
})
