/**
 * Kills: SIGKILL under load, again and again. The page cache outlives the process, so this is about
 * what was in memory only; the power cuts are about the rest.
 *
 * Used by run.ts and crashes.test.ts.
 */
import { type CrashLoopOptions, crashLoop, type RoundReport, type Victim } from './crash-loop.ts'
import { Workplace } from './workplace.ts'

/** @throws Error naming seed and round where a record is lost, doubled or wrong */
export async function kills(options: Omit<CrashLoopOptions, 'crasher'>): Promise<RoundReport[]> {
  const place = new Workplace()
  const crash = async (victim: Victim): Promise<string> => {
    await victim.kill()
    return 'SIGKILL'
  }
  try {
    return await crashLoop({ ...options, crasher: { dataDir: place.folder('data'), crash } })
  } finally {
    place.remove()
  }
}
