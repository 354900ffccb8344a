/**
 * Disk waves: what the disk itself takes to make small writes of many files durable at once, and
 * the same bytes in one file: the floor under a broker with one log per partition, and under one
 * with a shared journal.
 *
 * Always true: each file is appended to and fdatasynced, eight at once, in a process whose thread
 * pool has room for all of them; the files are gone afterwards.
 * Used by curves/partitions.ts.
 */
import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** As many syncs as the broker has permits for. */
const atOnce = 8
const program = fileURLToPath(new URL('./disk-waves-process.js', import.meta.url))

export interface WaveOptions {
  readonly directory: string
  readonly files: number
  /** Bytes written to each file in one wave. */
  readonly bytes: number
  readonly seconds: number
}

export interface WaveOrder extends WaveOptions {
  readonly atOnce: number
}

/** Milliseconds, median. */
export interface WaveFigures {
  /** One wave over all files. */
  readonly filesMs: number
  /** All the bytes of a wave in one file. */
  readonly journalMs: number
}

/** Aborting `signal` kills the process. @throws Error with what it said on stderr */
export async function diskWaves(options: WaveOptions, signal: AbortSignal): Promise<WaveFigures> {
  const directory = join(options.directory, 'disk-waves')
  await mkdir(directory)
  const order: WaveOrder = { ...options, directory, atOnce }
  // The pool is made before the first line of a module runs, so its size comes from outside.
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(atOnce) }
  const how = { env, signal, killSignal: 'SIGKILL' } as const
  try {
    const words = [program, JSON.stringify(order)]
    const { stdout } = await promisify(execFile)(process.execPath, words, how)
    return JSON.parse(stdout)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
