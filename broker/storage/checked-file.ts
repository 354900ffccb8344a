/**
 * Checked file: a small file that is either the old or the new value, whole, after any crash.
 *
 *   line 1  sluice <kind> <version> crc32c=<8 hex digits of line 2>
 *   line 2  JSON
 *
 * Always true: a value is durable when `writeCheckedFile` resolves (temporary file, sync, rename,
 * directory sync); what does not match its checksum, or has not the shape of its kind, is never
 * returned as a value. Called for checkpoints, segment lists, producer snapshots, and the catalogue
 * of topics.
 */
import { crc32c } from '../../protocol/bytes/crc32c.ts'
import { nestsDeeperThan } from '../../protocol/bytes/json-nesting.ts'
import { type Disk, DiskError } from '../world/disk.ts'
import { finalSync } from './final-sync.ts'
import type { StoredShape } from './stored-shape.ts'

export const temporarySuffix = '.tmp'

export type CheckedRead =
  | { readonly state: 'ok'; readonly version: number; readonly value: unknown }
  | { readonly state: 'missing' }
  | { readonly state: 'damaged'; readonly reason: string }

/** Far deeper than any value of ours; fields that we do not know are written back as they were. */
const maxStoredNesting = 64

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export interface CheckedFile {
  readonly directory: string
  readonly name: string
  /** A word in the head line, so that one kind of file is never taken for another. */
  readonly kind: string
  /** What a value looks like up to the version that this code writes; newer ones it cannot know. */
  readonly shape?: { readonly version: number; readonly fits: StoredShape }
}

/**
 * Durable when it resolves; with `nameToo` false the old content may come back until somebody syncs
 * the directory.
 */
export async function replaceFile(
  disk: Disk,
  at: { readonly directory: string; readonly name: string },
  content: Uint8Array,
  nameToo = true,
): Promise<void> {
  const path = `${at.directory}/${at.name}`
  const temporary = `${path}${temporarySuffix}`
  await disk.removeFile(temporary)
  const file = await disk.open(temporary, 'create')
  try {
    const written = await file.write([content], 0)
    if (written < content.byteLength) {
      throw new DiskError('noSpace', temporary, `no space left for ${temporary}`)
    }
    await finalSync(file.sync())
  } finally {
    await file.close()
  }
  await disk.rename(temporary, path)
  if (nameToo) await finalSync(disk.syncDirectory(at.directory))
}

/** @throws DiskError; on noSpace the old value is still there. */
export async function writeCheckedFile(
  disk: Disk,
  at: CheckedFile,
  version: number,
  value: unknown,
): Promise<void> {
  const body = encoder.encode(JSON.stringify(value))
  const checksum = crc32c(body).toString(16).padStart(8, '0')
  const head = encoder.encode(`sluice ${at.kind} ${version} crc32c=${checksum}\n`)
  const content = new Uint8Array(head.byteLength + body.byteLength + 1)
  content.set(head)
  content.set(body, head.byteLength)
  content[content.byteLength - 1] = 0x0a
  await replaceFile(disk, at, content)
}

/** @throws DiskError other than missing */
export async function readCheckedFile(disk: Disk, at: CheckedFile): Promise<CheckedRead> {
  const content = await readWholeFile(disk, `${at.directory}/${at.name}`)
  if (content === null) return { state: 'missing' }
  const lineEnd = content.indexOf(0x0a)
  const head = /^sluice (\S+) (\d+) crc32c=([0-9a-f]{8})$/.exec(
    decoder.decode(content.subarray(0, Math.max(lineEnd, 0))),
  )
  if (head === null) return { state: 'damaged', reason: `${at.name} has no valid head line` }
  if (head[1] !== at.kind) return { state: 'damaged', reason: `${at.name} is a ${head[1]} file` }
  const body = content.subarray(lineEnd + 1, content.byteLength - 1)
  if (content.at(-1) !== 0x0a || crc32c(body) !== Number.parseInt(head[3] ?? '', 16)) {
    return { state: 'damaged', reason: `${at.name} does not match its checksum` }
  }
  const version = Number(head[2])
  const value = parsed(decoder.decode(body))
  const isNewer = at.shape === undefined || version > at.shape.version
  if (value === undefined || !(isNewer || at.shape.fits(value))) {
    return { state: 'damaged', reason: `${at.name} does not hold what such a file holds` }
  }
  return { state: 'ok', version, value }
}

/** undefined where the text is not JSON, or could not be written again. */
function parsed(json: string): unknown {
  try {
    return nestsDeeperThan(json, maxStoredNesting) ? undefined : JSON.parse(json)
  } catch {
    return undefined
  }
}

/** null where the file is missing. */
export async function readWholeFile(disk: Disk, path: string): Promise<Uint8Array | null> {
  try {
    const file = await disk.open(path, 'read')
    try {
      return await file.read(0, await file.size())
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof DiskError && error.kind === 'missing') return null
    throw error
  }
}
