/** Turn clock: how old a time may be. */
import t from 'tap'
import { TurnClock } from '../../../client/producer/turn-clock.ts'

function setUp() {
  const turns: (() => void)[] = []
  let nowMs = 1000
  let readings = 0
  const clock = {
    wallMs: () => {
      readings++
      return nowMs
    },
    monotonicMs: () => 0,
  }
  const timers = {
    after: () => ({ cancel: () => {} }),
    endOfTurn: (run: () => void) => void turns.push(run),
  }
  return {
    turnClock: new TurnClock(clock, timers),
    advance: (ms: number) => {
      nowMs += ms
    },
    endTurn: () => {
      for (const run of turns.splice(0)) run()
    },
    readings: () => readings,
    turns,
  }
}

t.test('sixteen records of one turn share a reading of the clock', async t => {
  const { turnClock, advance, readings } = setUp()
  for (let i = 0; i < 16; i++) {
    t.equal(turnClock.wallMs(), 1000)
    advance(1)
  }
  t.equal(readings(), 1)
  t.equal(turnClock.wallMs(), 1016)
})

t.test('a new turn reads the clock anew', async t => {
  const { turnClock, advance, endTurn, turns } = setUp()
  t.equal(turnClock.wallMs(), 1000)
  advance(60_000)
  endTurn()
  t.equal(turnClock.wallMs(), 61_000)
  endTurn()
  t.equal(turns.length, 0, 'and nothing is left when no record came')
})
