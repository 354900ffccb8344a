/**
 * Needs: what a fault wants of the machine, and why it is not there.
 *
 * Always true: a fault that cannot be brought about is skipped aloud, with the reason; with CI=true
 * a skip is a failure, so that a lane that proves nothing is never green there.
 * Used by run.ts and the tests of this folder.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { type FileSystem, LoopDisk } from './loop-disk.ts'
import { Workplace } from './workplace.ts'

export type Need = 'root' | 'tmpfs' | 'strace' | 'faketime' | FileSystem

/** Why the machine does not meet one of the needs; null where it meets them all. */
export async function missing(needs: readonly Need[]): Promise<string | null> {
  for (const need of needs) {
    const reason = await reasons[need]()
    if (reason !== null) return reason
  }
  return null
}

const has = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

function withoutPrograms(...programs: readonly string[]): string | null {
  const absent = programs.filter(program => !has(program))
  return absent.length === 0 ? null : `there is no ${absent.join(', no ')} here`
}

function root(): string | null {
  return process.getuid?.() === 0 ? null : 'needs root'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}

async function loopDisk(fileSystem: FileSystem): Promise<string | null> {
  const absent = root() ?? withoutPrograms('mount', 'umount', 'xfs_io', `mkfs.${fileSystem}`)
  if (absent !== null) return absent
  const place = new Workplace()
  try {
    const disk = new LoopDisk(place.directory, fileSystem)
    disk.cut()
    await disk.remount()
    return null
  } catch (error) {
    return `no power cut on a loop-mounted ${fileSystem}: ${messageOf(error)}`
  } finally {
    place.remove()
  }
}

function tmpfs(): string | null {
  const absent = root() ?? withoutPrograms('mount', 'umount')
  if (absent !== null) return absent
  const place = new Workplace()
  try {
    place.tmpfs('probe', '1m')
    return null
  } catch (error) {
    return `no tmpfs can be mounted: ${messageOf(error)}`
  } finally {
    place.remove()
  }
}

function strace(): string | null {
  const absent = withoutPrograms('strace')
  if (absent !== null) return absent
  const words = ['-D', '-e', 'trace=none', '-e', 'inject=fsync:error=EIO', 'true']
  const { status, stderr } = spawnSync('strace', words, { encoding: 'utf8' })
  return status === 0 ? null : `strace cannot inject faults: ${stderr.split('\n')[0]}`
}

/** The library that moves the wall clock of a program; null where it is not installed. */
export function faketimeLibrary(): string | null {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  const paths = folders.map(name => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
  return paths.find(existsSync) ?? null
}

const reasons: Record<Need, () => string | null | Promise<string | null>> = {
  root,
  tmpfs,
  strace,
  faketime: () => (faketimeLibrary() === null ? 'there is no libfaketime here' : null),
  ext4: () => loopDisk('ext4'),
  xfs: () => loopDisk('xfs'),
}
