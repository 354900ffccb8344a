/**
 * Usage: what a process holds: memory, files, sockets, timers.
 *
 * Always true: the figures of `usageNow` are taken after a garbage collection where the process
 * allows one (`--expose-gc`), so that what is left is held by somebody; RSS of another process is
 * read from outside and needs no help of it.
 * Used by the programs of the memory lane (usageNow) and by those who watch them (rssOf).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { liveTimers } from './counted-world.ts'

export const MiB = 1024 * 1024

export interface Usage {
  readonly rssBytes: number
  /** JavaScript objects, and what they hold outside of the heap. */
  readonly heldBytes: number
  readonly files: number
  /** Of broker, SDK and transport, in the background or not. */
  readonly timers: number
  /** Open handles and requests of the event loop by kind: sockets, timers that keep it alive, …. */
  readonly resources: Readonly<Record<string, number>>
}

function resourcesNow(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Where the system tells (Linux), how many files and sockets the process has open. */
function filesOpen(): number {
  try {
    // Reading the list opens one itself.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return 0
  }
}

export async function usageNow(): Promise<Usage> {
  const { gc } = globalThis as { gc?: () => void }
  for (let i = 0; i < 3 && gc !== undefined; i++) {
    gc()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    rssBytes: rss,
    heldBytes: heapUsed + external,
    files: filesOpen(),
    timers: liveTimers(),
    resources: resourcesNow(),
  }
}

/** Resident bytes of a process, of this system or null where it does not say (no /proc). */
export function rssOf(pid: number): number | null {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kib === undefined ? null : Number(kib) * 1024
  } catch {
    return null
  }
}

/** What is there more of than at `before`, as text; empty where everything is back. */
export function leftOver(before: Usage, after: Usage): string {
  const more: string[] = []
  if (after.files > before.files) more.push(`${after.files - before.files} files`)
  if (after.timers > before.timers) more.push(`${after.timers - before.timers} timers`)
  for (const [kind, count] of Object.entries(after.resources)) {
    const extra = count - (before.resources[kind] ?? 0)
    if (extra > 0) more.push(`${extra} ${kind}`)
  }
  return more.join(', ')
}

/** Asks again until nothing is left over, for at most `withinMs`; the text of the last look. */
export async function untilBack(
  before: Usage,
  ask: () => Promise<Usage>,
  withinMs = 10_000,
): Promise<string> {
  const endMs = performance.now() + withinMs
  for (;;) {
    const left = leftOver(before, await ask())
    if (left === '' || performance.now() > endMs) return left
    await sleep(50)
  }
}
