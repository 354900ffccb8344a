/**
 * Seed hunt: the simulator on a workspace, from one first seed on, within a number of seeds and a
 * time.
 *
 * Always true: the program is ended when its time is over, or when no seed has come to its end for
 * a while: then the plant makes the broker or the SDK run in circles, which is a find too. Both
 * count processor time, so that a busy machine finds nothing.
 * Called by layers.ts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { realTimers } from '../../protocol/real-world.ts'
import type { SeedLine } from './seeds.ts'

export interface SeedRange {
  readonly scenario: string
  readonly firstSeed: number
  readonly seeds: number
  readonly budgetMs: number
}

export interface SeedFind {
  readonly seed: number
  /** Seeds run, the one that failed included. */
  readonly needed: number
  readonly message: string
}

const silenceCpuMs = 20_000
const lookMs = 500

export interface SeedsHunted {
  readonly found: SeedFind | null
  /** Fewer than asked for where something was found, or the time was over. */
  readonly passed: number
}

export async function huntSeeds(folder: string, range: SeedRange): Promise<SeedsHunted> {
  const child = spawnSeeds(folder, range)
  let last: SeedLine = { passed: 0 }
  let usedAtLineMs = 0
  let ended: 'budget' | 'silence' | null = null
  const usedMs = cpuClock(child.pid ?? 0)
  const look = (): void => {
    const used = usedMs()
    if (used > range.budgetMs) ended = 'budget'
    if (used - usedAtLineMs > silenceCpuMs) ended = 'silence'
    if (ended === null) timer = realTimers.after(lookMs, look)
    else child.kill('SIGKILL')
  }
  let timer = realTimers.after(lookMs, look)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000)
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as SeedLine
    usedAtLineMs = usedMs()
  }
  const [code] = await closed
  timer.cancel()
  const { passed } = last
  const needed = passed + 1
  if (last.failure !== undefined) return { found: { ...last.failure, needed }, passed }
  const seed = range.firstSeed + passed
  const at = (message: string) => ({ found: { seed, needed, message }, passed })
  if (ended === 'silence') return at('the run comes to no end')
  if (ended === 'budget' || code === 0) return { found: null, passed }
  return at(`the simulator ended with ${code}: ${lastLine(stderr)}`)
}

function spawnSeeds(folder: string, { scenario, firstSeed, seeds }: SeedRange) {
  const program = join('dist', 'test', 'planted', 'seeds.js')
  const words = ['--enable-source-maps', program, scenario, `${firstSeed}`, `${seeds}`]
  return spawn(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=1024' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Processor time of a process; the time since now where the system does not say. */
function cpuClock(pid: number): () => number {
  const startMs = performance.now()
  let lastMs = 0
  return () => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      // After the name in brackets; user and system time are fields 14 and 15, in 1/100 s.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      lastMs = (Number(fields[11]) + Number(fields[12])) * 10
    } catch {
      if (!existsSync('/proc/self/stat')) lastMs = performance.now() - startMs
    }
    return lastMs
  }
}

function lastLine(text: string): string {
  return text.split('\n').findLast(line => /Error|error/.test(line)) ?? text.slice(-100)
}
