/**
 * Disks that fail, dawdle or are full, under a real broker: what it makes of it, and what its
 * clients hear. `npm run faults` does many rounds.
 */
import t from 'tap'
import { seeded } from './crash-plan.ts'
import { checkTrace, dieOfDiskError } from './disk-errors.ts'
import { fillDisk } from './full-disk.ts'
import { loseWrites } from './lost-writes.ts'
import { missing } from './needs.ts'
import { syncSlowly } from './slow-syncs.ts'
import { parseTrace } from './strace.ts'

const errors = [
  { call: 'fdatasync', error: 'EIO', when: 20 },
  { call: 'fdatasync', error: 'ENOSPC', when: 24 },
  { call: 'fsync', error: 'EIO', when: 22 },
  { call: 'pwritev', error: 'EIO', when: 6 },
] as const

for (const [round, error] of errors.entries()) {
  t.test(`a broker whose ${error.call} says ${error.error} ends and loses nothing`, async t => {
    const reason = await missing(['strace'])
    if (reason !== null) return t.pass('a call fails', { skip: reason })
    const report = await dieOfDiskError(error, round)
    t.ok(report.acked > 0, 'it was under load')
    t.ok(report.read >= report.acked, 'all is there')
  })
}

t.test('a sync that is tried again after it failed is seen in the trace', async t => {
  const failed = '7 fdatasync(20<\\x61>) = -1 EIO (Input/output error) (INJECTED)'
  const other = '8 fdatasync(21<\\x62>) = 0'
  t.equal(checkTrace(parseTrace([failed, other, '7 +++ exited with 70 +++'].join('\n'))), 'a')
  t.throws(
    () => checkTrace(parseTrace([failed, '8 fdatasync(20<\\x61>) = 0'].join('\n'))),
    /came a fdatasync of it/,
  )
  t.throws(
    () => checkTrace(parseTrace([failed, '8 pwrite64(20<\\x61>, ""..., 5, 0) = 5'].join('\n'))),
    /came a pwrite64 of it/,
  )
  t.throws(() => checkTrace(parseTrace(other)), /no call failed/)
  const [resumed] = parseTrace(
    '7 fsync(3</a> <unfinished ...>\n8 fsync(4</b>) = 0\n7 <... fsync resumed>) = 0',
  ).filter(call => call.path === '/a')
  t.match(resumed, { begunAt: 0, endedAt: 2, result: 0, isInjected: false })
})

t.test('what a disk lost and shows all the same is on it before it is served', async t => {
  const reason = await missing(['ext4', 'tmpfs'])
  if (reason !== null) return t.pass('a disk loses writes', { skip: reason })
  const report = await loseWrites(seeded(3), 1)
  t.ok(report.read >= report.acked && report.acked > 0, 'all is there')
})

t.test('acks wait for a slow fdatasync, and other partitions do not', async t => {
  const reason = await missing(['strace'])
  if (reason !== null) return t.pass('an fdatasync takes long', { skip: reason })
  const report = await syncSlowly({ delayMs: 400, forMs: 1600, maxUncommitted: '128MiB' })
  t.ok(report.slowAcked > 0 && report.quickAcked > 0, 'both went on')
})

for (const fullness of ['below min.free.bytes', 'to the last byte'] as const) {
  t.test(`a disk that is full ${fullness} refuses writes until there is room`, async t => {
    const reason = await missing(['tmpfs'])
    if (reason !== null) return t.pass('a tmpfs is filled', { skip: reason })
    const report = await fillDisk(fullness)
    t.equal(report.refused, 2, 'before and after a restart')
    t.ok(report.unansweredWhileFull > 0, 'producers waited')
  })
}
