/**
 * Crew: worker processes that share a job.
 *
 * Always true: when one of them fails, or is not heard of for two minutes, all others are ended and
 * the failure is told; none outlives the call.
 * Called by lane.ts and sweep-lane.ts.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { realTimers } from '../../protocol/real-world.ts'

const hangMs = 120_000

export interface Crew {
  /** Beside this file. */
  readonly script: string
  /** One for each process. */
  readonly jobs: readonly object[]
  readonly hangMs?: number
  onMessage(worker: number, message: unknown): void
  /** What a worker is at, for the failure. */
  where?(worker: number): string
}

/** A worker failed: this is a finding, not a wrong command. */
export class WorkerFailure extends Error {}

/** @throws WorkerFailure */
export async function runCrew(crew: Crew): Promise<void> {
  const children: ChildProcess[] = []
  try {
    await Promise.all(crew.jobs.map((job, worker) => runWorker(crew, { job, worker, children })))
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

interface Hire {
  readonly job: object
  readonly worker: number
  readonly children: ChildProcess[]
}

function runWorker(crew: Crew, { job, worker, children }: Hire): Promise<void> {
  const path = fileURLToPath(new URL(`./${crew.script}`, import.meta.url))
  const child = fork(path, [], { serialization: 'advanced', execArgv: ['--enable-source-maps'] })
  children.push(child)
  child.send(job)
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      const at = crew.where?.(worker)
      const where = at === undefined ? '' : `, at ${at}`
      reject(new WorkerFailure(`worker ${worker} ${what}${where}`))
    }
    const limitMs = crew.hangMs ?? hangMs
    const watch = () =>
      realTimers.after(limitMs, () => fail(`hangs: not heard of for ${limitMs / 1000} s`))
    let hangs = watch()
    child.on('message', message => {
      hangs.cancel()
      hangs = watch()
      crew.onMessage(worker, message)
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      hangs.cancel()
      if (code === 0) resolve()
      else fail(`ended with ${code ?? signal}`)
    })
  })
}
