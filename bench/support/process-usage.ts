/**
 * Process usage: CPU time and memory of another process, as the kernel counts them.
 *
 * Always true: figures come from /proc; where there is none (macOS) they are null and never a
 * guess.
 * Used by the lanes of bench/.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { rssBytesOf } from '../../client/cli/bench/local-broker.ts'

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/**
 * User and system time of the threads that it has now, seconds, to the microsecond. Servers keep
 * their threads; one that ended takes its time with it.
 */
export function cpuSeconds(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const times = threads.map(thread => read(`/proc/${pid}/task/${thread}/schedstat`))
    return times.reduce((sum, time) => sum + Number((time ?? '0').split(' ')[0]) / 1e9, 0)
  } catch {
    return null
  }
}

/** Memory that the process has resident now, bytes. */
export function residentBytes(pid: number): number | null {
  const status = read(`/proc/${pid}/status`)
  return status === null ? null : rssBytesOf(status)
}

/** What a process used between two moments. */
export class CpuMeter {
  readonly #pid: number
  #before: number | null

  constructor(pid: number) {
    this.#pid = pid
    this.#before = cpuSeconds(pid)
  }

  restart(): void {
    this.#before = cpuSeconds(this.#pid)
  }

  get usedSeconds(): number | null {
    const now = cpuSeconds(this.#pid)
    return now === null || this.#before === null ? null : now - this.#before
  }
}
