/**
 * Disk waves: what the disk itself takes to make small writes of many files durable at once, and
 * the same bytes in one file: the floor under a broker with one log per partition, and under one
 * with a shared journal.
 *
 * Always true: each file is appended to and fdatasynced, several at once like the broker's; the
 * files are gone afterwards.
 * Used by curves/partitions.ts.
 */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from './figures.ts'

/** As many as the broker has under way per data directory. */
const atOnce = 8

export interface WaveOptions {
  readonly directory: string
  readonly files: number
  /** Bytes written to each file in one wave. */
  readonly bytes: number
  readonly seconds: number
}

async function appendDurably(file: FileHandle, bytes: Uint8Array): Promise<void> {
  await file.write(bytes)
  await file.datasync()
}

async function inTurn(files: readonly FileHandle[], bytes: Uint8Array): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      await appendDurably(file, bytes)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function timed(seconds: number, wave: () => Promise<void>): Promise<number> {
  const times: number[] = []
  const endMs = performance.now() + seconds * 1000
  while (times.length < 4 || performance.now() < endMs) {
    const startMs = performance.now()
    await wave()
    times.push(performance.now() - startMs)
  }
  return median(times.slice(1))
}

/** Median milliseconds of one wave: over `files` files, and over one file with all the bytes. */
export async function diskWaves(
  options: WaveOptions,
): Promise<{ readonly filesMs: number; readonly journalMs: number }> {
  const directory = join(options.directory, 'disk-waves')
  await mkdir(directory)
  const files: FileHandle[] = []
  try {
    for (let n = 0; n < options.files; n++) files.push(await open(join(directory, `${n}`), 'a'))
    const journal = await open(join(directory, 'journal'), 'a')
    files.push(journal)
    const bytes = Buffer.alloc(options.bytes, 'x')
    const all = Buffer.alloc(options.bytes * options.files, 'x')
    const single = files.slice(0, -1)
    const filesMs = await timed(options.seconds, () => inTurn(single, bytes))
    const journalMs = await timed(options.seconds, () => appendDurably(journal, all))
    return { filesMs, journalMs }
  } finally {
    for (const file of files) await file.close()
    await rm(directory, { recursive: true, force: true })
  }
}
