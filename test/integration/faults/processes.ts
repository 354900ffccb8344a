/**
 * Processes: stopping one and going on with it, and what it weighs.
 *
 * Used by the faults of this folder; Linux alone has the files in /proc.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** SIGSTOP; resolves when the main thread has stopped, so that nothing is answered any more. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  for (let attempt = 0; attempt < 1000; attempt++) {
    // t where strace looks on.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    if (
      stat
        .slice(stat.lastIndexOf(')') + 2)
        .toLowerCase()
        .startsWith('t')
    )
      return
    await sleep(1)
  }
  throw new Error(`process ${pid} does not stop`)
}

/** SIGCONT; nothing where the process is gone, which something else has to say. */
export function thaw(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A size in /proc/<pid>/status: VmRSS, or VmHWM for the highest so far. */
export function memoryMiB(pid: number, row: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
}
