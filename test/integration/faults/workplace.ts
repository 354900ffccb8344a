/**
 * Workplace: a directory in which one run of a fault test or of the memory lane keeps data, images
 * and mounts, and the
 * end of all of it.
 *
 *   /dev/shm/sluice-test-<pid>-<start time of that process>-<n>/ …
 *
 * Always true: after `remove`, and after a SIGINT or SIGTERM of this process, nothing of it is
 * left: no process that works in it, no mount, no loop device, no file. What a run left that was
 * itself killed is found by the directory's name, which says whose it was, and removed by the next.
 * Used by everything in this folder that writes, and by the measured brokers of the memory lane.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'sluice-test-'
/** In memory where there is room for it: the power cuts are then three times as fast. */
const bases = ['/dev/shm', tmpdir()]
const open = new Set<Workplace>()
let made = 0

export class Workplace {
  readonly directory: string

  /**
   * `onDisk`: not in memory, for what is large.
   * @throws Error where no directory for temporary files can be written
   */
  constructor({ onDisk = false }: { readonly onDisk?: boolean } = {}) {
    removeLeftovers()
    const base = onDisk ? tmpdir() : (bases.find(existsSync) ?? tmpdir())
    const owner = `${process.pid}-${startTimeOf(process.pid)}`
    this.directory = join(base, `${prefix}${owner}-${made++}`)
    mkdirSync(this.directory)
    if (open.size === 0) watchSignals()
    open.add(this)
  }

  /** Makes a directory in it; answers its path. */
  folder(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** Mounts a tmpfs of that size in it; answers its path. Needs root. */
  tmpfs(name: string, size: string): string {
    const path = this.folder(name)
    runTool('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path])
    return path
  }

  /** Idempotent; needs no event loop, so that it can run while the process ends. */
  remove(): void {
    if (!open.delete(this)) return
    if (open.size === 0) unwatchSignals()
    removeDirectory(this.directory)
  }
}

/** Ends what works in a directory and takes the directory away. */
function removeDirectory(directory: string): void {
  for (const pid of workersIn(directory)) killQuietly(pid)
  // Deepest first. Lazily, because a killed process may need a moment to let go of its files.
  for (const point of mountsIn(directory).reverse()) spawnSync('umount', ['--lazy', point])
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

function mountsIn(directory: string): string[] {
  const lines = readText('/proc/mounts').split('\n')
  return lines.map(line => line.split(' ')[1] ?? '').filter(at => at.startsWith(`${directory}/`))
}

/** Processes whose command line names the directory, but for ourselves. */
function workersIn(directory: string): number[] {
  return processIds().filter(
    pid => pid !== process.pid && readText(`/proc/${pid}/cmdline`).includes(`${directory}/`),
  )
}

function processIds(): number[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

/** Removes what runs left behind that are no more. */
function removeLeftovers(): void {
  for (const base of bases.filter(existsSync)) {
    for (const name of readdirSync(base)) {
      const [, pid = '', startTime] = name.match(/^sluice-test-(\d+)-(\d+)-\d+$/) ?? []
      if (pid === '' || startTimeOf(Number(pid)) === startTime) continue
      removeDirectory(join(base, name))
    }
  }
}

/** Field 22 of stat, in ticks since boot: with it a process id never means two processes. */
function startTimeOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat !== '') return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  if (pid === process.pid) return '0'
  return spawnSync('ps', ['-p', `${pid}`]).status === 0 ? '0' : 'gone'
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function onSignal(signal: NodeJS.Signals): void {
  for (const place of [...open]) place.remove()
  // Unwatched by now: the signal does what it would have done without us.
  process.kill(process.pid, signal)
}

function watchSignals(): void {
  for (const signal of signals) process.on(signal, onSignal)
}

function unwatchSignals(): void {
  for (const signal of signals) process.off(signal, onSignal)
}

/** Runs a program to its end; answers what it printed. @throws Error with what it said on stderr */
export function runTool(program: string, words: readonly string[]): string {
  return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
