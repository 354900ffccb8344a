/**
 * Power cuts: a broker on a disk of its own loses its power under load, again and again, on one
 * disk that is never formatted anew.
 *
 * Always true: the broker does nothing more from the moment of the cut on, as with a real one. (If
 * it ran on, the kernel would lie to it: an fdatasync that is under way while ext4 or XFS is shut
 * down may say ok although its bytes are dropped. Seen with a ten-line program, in 13 of 120 cuts;
 * in none of 120 when it was stopped first.) After a cut the journal is replayed, so that only what
 * had been synced, by data and by name, is there. Some rounds only kill the broker, for the cut
 * that follows; in some an fdatasync takes long, so that an ack that does not wait is seen.
 * Used by run.ts and crashes.test.ts; needs root and strace.
 */
import { join } from 'node:path'
import { type CrashLoopOptions, crashLoop, type RoundReport, type Victim } from './crash-loop.ts'
import { type FileSystem, LoopDisk } from './loop-disk.ts'
import { straceWords } from './strace.ts'
import { Workplace } from './workplace.ts'

export interface PowerCutOptions extends Omit<CrashLoopOptions, 'crasher'> {
  readonly fileSystem: FileSystem
}

/** @throws Error naming seed and round where a record is lost, doubled or wrong */
export async function powerCuts(options: PowerCutOptions): Promise<RoundReport[]> {
  const place = new Workplace()
  try {
    const disk = new LoopDisk(place.directory, options.fileSystem)
    const crash = async (victim: Victim, random: () => number): Promise<string> => {
      const chance = random()
      // The page cache stays; what a start makes of it must be on disk when the power goes next.
      if (chance < 0.15) {
        await victim.kill()
        return 'SIGKILL'
      }
      await victim.freeze()
      disk.cut()
      await victim.kill()
      await disk.remount()
      return 'power cut'
    }
    const slowly = (syncDelayMs: number): string[] =>
      straceWords({
        output: join(place.directory, 'trace'),
        calls: ['fdatasync'],
        inject: `fdatasync:delay_enter=${syncDelayMs * 1000}`,
      })
    const dataDir = join(disk.directory, 'data')
    return await crashLoop({ ...options, crasher: { dataDir, crash, slowly } })
  } finally {
    place.remove()
  }
}
