/**
 * Process lock: who holds a lock file (rule S3 of the storage design).
 *
 *   flock(1) there:    flock(2) on the inherited open file; freed by the kernel when it closes
 *   flock(1) missing:  claims appended to the file, `pid start-time boot-id nonce`, oldest first
 *
 * Always true: without flock(1) the holder is the first claim that is not given up and whose
 * process runs; a claim is appended before the file is read, so of two that start together one sees
 * the other.
 * Called by node-disk.ts only, which owns the files and hands in its reader.
 */
import { spawnSync } from 'node:child_process'
import { DiskError } from './disk.ts'

type ReadText = (path: string) => string | undefined

const givenUp = 'given-up '

/**
 * True when the open file of `descriptor` is now locked, false when another process has it,
 * undefined where `program` is missing.
 * @throws DiskError io when flock(1) failed otherwise
 */
export function flockDescriptor(
  path: string,
  descriptor: number,
  program: string,
): boolean | undefined {
  const { status, error } = spawnSync(program, ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  })
  if (status === 0) return true
  if (status === 1) return false
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
  throw new DiskError('io', path, `${path}: flock(1) failed with status ${status}`, error)
}

/** A line that names this attempt of this process, and no other one ever. */
export function newClaim(readText: ReadText): string {
  const nonce = process.hrtime.bigint().toString(36)
  return `${process.pid} ${startOf(process.pid, readText)} ${bootId(readText)} ${nonce}\n`
}

/** The line that takes `claim` back. */
export function givenUpClaim(claim: string): string {
  return `${givenUp}${claim}`
}

/** The claim that holds a file of this text; undefined when nobody does. */
export function holdingClaim(text: string, readText: ReadText): string | undefined {
  const lines = text.split(/(?<=\n)/)
  const gone = new Set(
    lines.filter(line => line.startsWith(givenUp)).map(line => line.slice(givenUp.length)),
  )
  return lines.find(
    line => !line.startsWith(givenUp) && !gone.has(line) && stillRuns(line, readText),
  )
}

/** Whether the process that wrote `claim` still runs. Unreadable text is nobody. */
function stillRuns(claim: string, readText: ReadText): boolean {
  const [pid, start, boot] = claim.trim().split(' ')
  if (pid === undefined || !/^[1-9]\d{0,9}$/.test(pid)) return false
  if (boot !== bootId(readText)) return false
  return start !== '' && startOf(Number(pid), readText) === start
}

/**
 * Start time of a process in a form that never repeats for its pid within one boot; '' where none
 * runs.
 */
function startOf(pid: number, readText: ReadText): string {
  const stat = readText(`/proc/${pid}/stat`)
  // The program's name, in brackets, may hold blanks; field 22 is the 20th after it.
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', `${pid}`], {
    encoding: 'latin1',
  })
  return status === 0 ? stdout.trim().replace(/\s+/g, '_') : ''
}

function bootId(readText: ReadText): string {
  const id = readText('/proc/sys/kernel/random/boot_id')
  if (id !== undefined) return id.trim()
  const { stdout } = spawnSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'latin1' })
  return (stdout ?? '').trim().replace(/\s+/g, '_')
}
