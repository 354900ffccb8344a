/**
 * Disk: where the data of a lane go, and what that disk does without any broker.
 *
 * Always true: where nothing is given it is not a file system in memory, which no fsync can make
 * durable; the facts name no path of this machine.
 * Used by the lanes of bench/.
 */
import { existsSync, readFileSync, realpathSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { probeDisk } from '../../client/cli/bench/disk-probe.ts'
import { processHost } from '../../client/cli/terminal.ts'
import { realClock } from '../../protocol/real-world.ts'
import { repositoryRoot } from './provenance.ts'

/** statfs(2) of a file system in memory. */
const tmpfsType = 0x01021994

const isInMemory = (directory: string): boolean => statfsSync(directory).type === tmpfsType

/** Named after the mount that holds `directory`; null where the system does not tell (macOS). */
function mountOf(directory: string): { readonly device: string; readonly type: string } | null {
  const path = realpathSync(directory)
  const table = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8') : ''
  let found: { device: string; type: string; point: string } | null = null
  for (const line of table.split('\n')) {
    const [device = '', point = '', type = ''] = line.split(' ')
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`)
    // Of equal ones the later is mounted over the earlier.
    if (point === '' || !isAbove || point.length < (found?.point.length ?? 0)) continue
    found = { device, type, point }
  }
  return found
}

/** null where it is another file system, or the system does not tell. */
function hasJournal(device: string): boolean | null {
  const task = `/sys/fs/ext4/${basename(device)}/journal_task`
  return existsSync(task) ? /^\d+/.test(readFileSync(task, 'utf8')) : null
}

/** Where data go: `given`, or the temporary directory, or, where that is memory, dist/. */
export function dataParent(given?: string): string {
  if (given !== undefined) return given
  // dist/ is there, as this runs from it, and git does not see it.
  return isInMemory(tmpdir()) ? join(repositoryRoot, 'dist') : tmpdir()
}

/** Called before something is recorded. @throws Error where `directory` lies in memory */
export function requireDisk(directory: string): void {
  if (!isInMemory(directory)) return
  throw new Error('what lies in memory is not recorded: name a directory on a disk')
}

export interface DiskFacts {
  /** null where the system does not tell. */
  readonly filesystem: string | null
  /** Of ext4: whether it has a journal, which a fdatasync may have to wait for. */
  readonly journal: boolean | null
  /** Milliseconds of one 4 KiB write + fdatasync. */
  readonly syncP50Ms: number
  readonly syncP99Ms: number
  /** 1 MiB at a time, each durable before the next. */
  readonly megabytesPerSecond: number
}

/** Takes about a second and blocks. @throws SluiceError where `directory` cannot be written */
export function diskFacts(directory: string): DiskFacts {
  const mount = mountOf(directory)
  const open = processHost.scratchFile
  const speed = probeDisk({ directory, clock: realClock, open })
  const { syncP50Ms, syncP99Ms, megabytesPerSecond } = speed
  const journal = mount?.type === 'ext4' ? hasJournal(mount.device) : null
  const filesystem = mount?.type ?? null
  return { filesystem, journal, syncP50Ms, syncP99Ms, megabytesPerSecond }
}

/** One line for the reader. */
export function showDisk(disk: DiskFacts): string {
  const { filesystem, journal, syncP50Ms, syncP99Ms, megabytesPerSecond } = disk
  const name = `${filesystem ?? 'unknown file system'}${journal === false ? ', no journal' : ''}`
  const sync = `4 KiB + fdatasync p50 ${syncP50Ms} ms, p99 ${syncP99Ms} ms`
  return `disk  ${name}: ${sync}; durable ${megabytesPerSecond} MB/s`
}
