/**
 * Disk probe: how fast a directory's disk makes writes durable, without any broker.
 *
 *   small   4 KiB write + fdatasync, one after the other      large   1 MiB writes with O_DSYNC
 *
 * Always true: the file has no name and is gone afterwards; at most 64 MiB are written, and it ends
 * after about a second on a slow disk. It blocks, so nothing else may be measured meanwhile.
 * Used by conditions.ts and by bench/system: what a broker can reach is judged by it.
 */
import type { Clock } from '../../../protocol/world.ts'
import type { ScratchFile } from '../terminal.ts'
import { Latencies, rounded } from './latencies.ts'

export interface DiskSpeed {
  readonly directory: string
  /** Milliseconds of one 4 KiB write + fdatasync. */
  readonly syncP50Ms: number
  readonly syncP99Ms: number
  readonly syncs: number
  /** Millions of bytes, 1 MiB at a time, each durable before the next. */
  readonly megabytesPerSecond: number
  readonly bytes: number
}

export interface ProbeOptions {
  readonly directory: string
  readonly clock: Clock
  readonly open: (directory: string, isSynced: boolean) => ScratchFile
}

const smallBytes = 4096
const largeBytes = 1024 * 1024
const maxSyncs = 500
const maxLarge = 64
const partMs = 500

/** @throws SluiceError INVALID_ARGUMENT where the directory cannot be written */
export function probeDisk({ directory, clock, open }: ProbeOptions): DiskSpeed {
  const small = open(directory, false)
  const times = new Latencies()
  try {
    const bytes = new Uint8Array(smallBytes).fill(0x5a)
    const endMs = clock.monotonicMs() + partMs
    for (let i = 0; i < maxSyncs && clock.monotonicMs() < endMs; i++) {
      const startMs = clock.monotonicMs()
      small.write(bytes, i * smallBytes)
      small.sync()
      times.record(clock.monotonicMs() - startMs)
    }
  } finally {
    small.close()
  }
  const large = open(directory, true)
  try {
    const bytes = new Uint8Array(largeBytes).fill(0x5a)
    const startMs = clock.monotonicMs()
    let written = 0
    while (written < maxLarge && clock.monotonicMs() - startMs < partMs) {
      large.write(bytes, written++ * largeBytes)
    }
    const seconds = Math.max(1e-6, (clock.monotonicMs() - startMs) / 1000)
    return {
      directory,
      syncP50Ms: times.at(50),
      syncP99Ms: times.at(99),
      syncs: times.count,
      megabytesPerSecond: rounded((written * largeBytes) / seconds / 1e6, 1),
      bytes: written * largeBytes,
    }
  } finally {
    large.close()
  }
}
