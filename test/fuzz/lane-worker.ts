/**
 * Lane worker: a worker process as the lane holds it: a task in, its result out, or how the process
 * was lost.
 *
 * Always true: a task has an outcome; when a process was lost, all that it told of its progress has
 * been read before that is said.
 * Made by lane.ts; the process runs worker.ts.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { realTimers } from '../../protocol/real-world.ts'
import { compiledPath } from '../support/repository.ts'
import type { Task, TaskDone } from './worker.ts'

export const hanging = 'it hangs'

export type Outcome = TaskDone | { readonly lost: string }

export interface WorkerProgram {
  readonly path: string
  readonly words: readonly string[]
  /** A worker that says nothing for so long hangs. */
  readonly hangMs: number
}

export const realWorker: WorkerProgram = {
  path: compiledPath('test/fuzz/worker.ts'),
  words: [],
  hangMs: 180_000,
}

export class LaneWorker {
  readonly #process: ChildProcess
  readonly #hangMs: number
  /** Of the last execution that a careful worker began; −1 where it began none. */
  lastIndex = -1

  constructor({ path, words, hangMs }: WorkerProgram) {
    this.#hangMs = hangMs
    this.#process = fork(path, words, {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    })
    let rest = Buffer.alloc(0)
    this.#process.stdio[4]?.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      const whole = rest.length - (rest.length % 8)
      if (whole >= 8) this.lastIndex = rest.readDoubleBE(whole - 8)
      rest = rest.subarray(whole)
    })
  }

  run(task: Task): Promise<Outcome> {
    return new Promise(resolve => {
      const child = this.#process
      const finish = (outcome: Outcome) => {
        deadline.cancel()
        child.removeAllListeners()
        // What cannot be told to a process that is gone is no news any more.
        child.on('error', () => {})
        resolve(outcome)
      }
      const lost = (code: number | null, signal: string | null) =>
        finish({ lost: `it ended, ${signal ?? code}` })
      const deadline = realTimers.after(this.#hangMs, () => finish({ lost: hanging }))
      child.once('message', done => finish(done as TaskDone))
      // Not 'exit': its last words may still be in the pipe then.
      child.once('close', lost)
      child.once('error', () => {})
      // One that ended while it had nothing to do has no event left to say so.
      if (child.exitCode !== null || child.signalCode !== null) {
        lost(child.exitCode, child.signalCode)
      } else child.send(task, () => {})
    })
  }

  end(): void {
    this.#process.removeAllListeners()
    this.#process.on('error', () => {})
    this.#process.kill('SIGKILL')
  }
}
