/**
 * Seed hunt: the simulator on a workspace, from one first seed on, within a number of seeds and a
 * time.
 *
 * Always true: the program is ended when the time is over, or when no seed has come to its end for
 * a while: then the plant makes the broker or the SDK run in circles, which is a find too.
 * Called by layers.ts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

const silenceMs = 25_000

export async function huntSeeds(folder: string, range: SeedRange): Promise<SeedFind | null> {
  const { scenario, firstSeed, seeds, budgetMs } = range
  const program = join('dist', 'test', 'planted', 'seeds.js')
  const words = ['--enable-source-maps', program, scenario, `${firstSeed}`, `${seeds}`]
  const child = spawn(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=1024' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let last: SeedLine = { passed: 0 }
  let ended: 'budget' | 'silence' | null = null
  const end = (why: 'budget' | 'silence'): void => {
    ended = why
    child.kill('SIGKILL')
  }
  const budget = realTimers.after(budgetMs, () => end('budget'))
  const listen = () => realTimers.after(silenceMs, () => end('silence'))
  let silence = listen()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000)
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as SeedLine
    silence.cancel()
    silence = listen()
  }
  const [code] = await closed
  budget.cancel()
  silence.cancel()
  const needed = last.passed + 1
  if (last.failure !== undefined) return { ...last.failure, needed }
  const seed = firstSeed + last.passed
  if (ended === 'silence') return { seed, needed, message: 'the run comes to no end' }
  if (ended === 'budget' || code === 0) return null
  return { seed, needed, message: `the simulator ended with ${code}: ${lastLine(stderr)}` }
}

function lastLine(text: string): string {
  return text.split('\n').findLast(line => /Error|error/.test(line)) ?? text.slice(-100)
}
