/** Retention as a decision, and the guard against wall clocks that jump. */
import t from 'tap'
import { retentionStart, WallClockGuard } from '../../../broker/storage/retention.ts'

const segments = [
  { endOffset: 10, sizeBytes: 100, sealedAtMs: 1000 },
  { endOffset: 20, sizeBytes: 100, sealedAtMs: 2000 },
  { endOffset: 30, sizeBytes: 100, sealedAtMs: 3000 },
  { endOffset: 40, sizeBytes: 50, sealedAtMs: null },
]

t.test(
  'segments go by age since sealing or by size, oldest first, never the active one',
  async t => {
    const start = (retentionMs: number, retentionBytes: number, nowMs: number) =>
      retentionStart(segments, { retentionMs, retentionBytes }, nowMs)
    t.equal(start(-1, -1, 1e15), -1)
    t.equal(start(1000, -1, 1999), -1)
    t.equal(start(1000, -1, 2000), 10)
    t.equal(start(1000, -1, 1e15), 30)
    t.equal(start(0, -1, 0), -1, 'a clock that went back keeps')
    t.equal(start(-1, 0, 0), 30)
    t.equal(start(-1, 250, 0), 10, 'at least as much as was asked for stays')
    t.equal(start(-1, 251, 0), -1)
    t.equal(start(2500, 0, 3600), 30, 'either rule is enough')
  },
)

t.test('a jump of the wall clock is distrusted for an hour, slow drift never', async t => {
  let wallMs = 1_000_000
  let monotonicMs = 0
  const guard = new WallClockGuard({ wallMs: () => wallMs, monotonicMs: () => monotonicMs })
  const pass = (wall: number, monotonic: number) => {
    wallMs += wall
    monotonicMs += monotonic
    return guard.jumpMs()
  }
  const minute = 60_000
  for (let i = 0; i < 20; i++) t.equal(pass(6 * minute, 5 * minute), 0, 'drift')
  t.equal(pass(61 * minute, minute), 60 * minute)
  t.not(pass(30 * minute, 30 * minute), 0)
  t.not(pass(20 * minute, 0), 0, 'another jump begins anew')
  t.not(pass(59 * minute, 59 * minute), 0)
  t.equal(pass(minute, minute), 0, 'held for an hour')
  t.not(pass(-20 * minute, minute), 0, 'backwards too')
})

t.test('a segment is sealed at the later of the wall clock and what it would be', async t => {
  let wallMs = 1_000_000
  let monotonicMs = 0.5
  const guard = new WallClockGuard({ wallMs: () => wallMs, monotonicMs: () => monotonicMs })
  monotonicMs += 100.25
  wallMs += 100
  t.equal(guard.sealingMs(), 1_000_100)
  wallMs -= 600_000
  t.equal(guard.sealingMs(), 1_000_100, 'ten minutes behind')
  wallMs += 1_200_000
  t.equal(guard.sealingMs(), 1_600_100, 'ten minutes ahead')
})
