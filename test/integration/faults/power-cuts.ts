/**
 * Power cuts: a broker on a disk of its own loses its power under load, again and again, on one
 * disk that is never formatted anew.
 *
 * Always true: between two starts the file system was cut off and its journal replayed, so that
 * only what had been synced, by data and by name, is there.
 * Used by run.ts and crashes.test.ts; needs root.
 */
import { join } from 'node:path'
import { type CrashLoopOptions, crashLoop, type RoundReport, type Victim } from './crash-loop.ts'
import { type FileSystem, LoopDisk } from './loop-disk.ts'
import { Workplace } from './workplace.ts'

export interface PowerCutOptions extends Omit<CrashLoopOptions, 'crasher'> {
  readonly fileSystem: FileSystem
}

/** @throws Error naming seed and round where a record is lost, doubled or wrong */
export async function powerCuts(options: PowerCutOptions): Promise<RoundReport[]> {
  const place = new Workplace()
  try {
    const disk = new LoopDisk(place, options.fileSystem)
    const crash = async (victim: Victim, random: () => number): Promise<string> => {
      // A broker that is stopped before the power goes cannot notice it; one that runs on does, and
      // must not make anything of what it is told then.
      const notices = random() < 0.7
      if (notices) disk.cut()
      await victim.kill()
      if (!notices) disk.cut()
      await disk.remount()
      return notices ? 'power cut' : 'SIGKILL and power cut'
    }
    return await crashLoop({
      ...options,
      crasher: { dataDir: join(disk.directory, 'data'), crash },
    })
  } finally {
    place.remove()
  }
}
