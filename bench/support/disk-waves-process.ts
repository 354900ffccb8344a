/**
 * Disk waves, the process that makes them.
 *
 *   UV_THREADPOOL_SIZE=8 node dist/bench/support/disk-waves-process.js '{"files":64,…}'
 *
 * Always true: it leaves its files to whoever started it; its only line is the figures, as JSON.
 * Started by disk-waves.ts.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { WaveFigures, WaveOrder } from './disk-waves.ts'
import { median } from './figures.ts'

async function appendDurably(file: FileHandle, bytes: Uint8Array): Promise<void> {
  await file.write(bytes)
  await file.datasync()
}

async function inTurn(
  files: readonly FileHandle[],
  bytes: Uint8Array,
  atOnce: number,
): Promise<void> {
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

async function measure(order: WaveOrder): Promise<WaveFigures> {
  const openOne = (name: string): Promise<FileHandle> => open(join(order.directory, name), 'a')
  const files: FileHandle[] = []
  for (let n = 0; n < order.files; n++) files.push(await openOne(String(n)))
  const journal = await openOne('journal')
  const bytes = Buffer.alloc(order.bytes, 'x')
  const all = Buffer.alloc(order.bytes * order.files, 'x')
  try {
    const filesMs = await timed(order.seconds, () => inTurn(files, bytes, order.atOnce))
    const journalMs = await timed(order.seconds, () => appendDurably(journal, all))
    return { filesMs, journalMs }
  } finally {
    await Promise.all([...files, journal].map(file => file.close()))
  }
}

process.stdout.write(`${JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '{}')))}\n`)
