/**
 * Lanes: all of them, in the order in which they run.
 *
 * Used by run.ts.
 */
import { clockJumps } from './clock-jumps.ts'
import type { CrashLoopOptions, RoundReport } from './crash-loop.ts'
import { diskErrors } from './disk-errors.ts'
import { fullDisks } from './full-disk.ts'
import { kills } from './kills.ts'
import { type Facts, type Lane, type LaneOptions, median, sum } from './lane.ts'
import { type FileSystem, fileSystems } from './loop-disk.ts'
import { lostWrites } from './lost-writes.ts'
import { powerCuts } from './power-cuts.ts'
import { slowSyncs } from './slow-syncs.ts'
import { stops } from './stopped.ts'
import { syscalls } from './syscalls.ts'

function line(report: RoundReport): string {
  const { round, crashes, sent, acked, unanswered, rejected, read, ms } = report
  const counts = [`sent ${sent}`, `acked ${acked}`, `unanswered then ${unanswered}`]
  const more = [`rejected ${rejected}`, `read ${read}`, `${ms.toFixed(0)} ms`]
  return `round ${round}: ${crashes.join(', ')}; ${[...counts, ...more].join(', ')}`
}

async function crashes(
  options: LaneOptions,
  loop: (options: Omit<CrashLoopOptions, 'crasher'>) => Promise<RoundReport[]>,
): Promise<Facts> {
  const { rounds, seed } = options
  const reports = await loop({ rounds, seed, onRound: report => options.say(line(report)) })
  const all = reports.flatMap(report => report.crashes)
  return {
    rounds,
    crashes: all.length,
    powerCuts: all.filter(crash => crash.includes('power cut')).length,
    crashesOfStarts: all.filter(crash => crash.endsWith('of a start')).length,
    sent: sum(reports.map(report => report.sent)),
    acked: sum(reports.map(report => report.acked)),
    unansweredAtTheCrash: sum(reports.map(report => report.unanswered)),
    readBack: sum(reports.map(report => report.read)),
    readWhileItRan: sum(reports.map(report => report.readLive)),
    medianGapMs: Math.round(median(reports.map(report => report.longestGapMs))),
    medianRoundMs: Math.round(median(reports.map(report => report.ms))),
  }
}

const kill: Lane = {
  name: 'kill',
  about: 'SIGKILL under load: what was acked is there once, in order',
  needs: [],
  rounds: 200,
  run: options => crashes(options, kills),
}

const power = (fileSystem: FileSystem): Lane => ({
  name: `power-${fileSystem}`,
  about: `power cuts on ${fileSystem} under load and in recovery: what was acked is there once`,
  needs: [fileSystem, 'strace'],
  rounds: 100,
  run: options => crashes(options, rest => powerCuts({ ...rest, fileSystem })),
})

const errors: Lane = {
  name: 'eio',
  about:
    'a sync or a write that fails ends the broker; it is not tried again, nothing acked is lost',
  needs: ['strace'],
  rounds: 40,
  run: diskErrors,
}

const lost: Lane = {
  name: 'lost-writes',
  about: 'a disk that loses what it was given and says ok to the next fdatasync; then a power cut',
  needs: ['ext4', 'tmpfs'],
  rounds: 20,
  run: lostWrites,
}

const slow: Lane = {
  name: 'slow-fsync',
  about: 'an fdatasync that takes 50 to 500 ms: its acks wait, other partitions go on',
  needs: ['strace'],
  rounds: 8,
  run: slowSyncs,
}

const full: Lane = {
  name: 'full',
  about: 'a disk that is full: writes refused, reads go on, restart, writes resume by themselves',
  needs: ['tmpfs'],
  rounds: 6,
  run: fullDisks,
}

const stop: Lane = {
  name: 'stop',
  about: 'SIGSTOP for 30 s under load: no error, no loss, no duplicate, all go on',
  needs: [],
  rounds: 2,
  run: stops,
}

const clock: Lane = {
  name: 'clock',
  about:
    'the wall clock jumps by 10 minutes, both ways: nothing is deleted early, all timers go on',
  needs: ['faketime'],
  rounds: 3,
  run: clockJumps,
}

const traced: Lane = {
  name: 'syscalls',
  about: 'no answer leaves before the syncs that it promises, by the trace of the system calls',
  needs: ['strace'],
  rounds: 4,
  run: syscalls,
}

export const lanes: readonly Lane[] = [
  kill,
  ...fileSystems.map(power),
  errors,
  lost,
  slow,
  full,
  stop,
  clock,
  traced,
]
