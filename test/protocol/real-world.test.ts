/** The real clock, timers and randomness keep what the interfaces promise. */
import t from 'tap'
import { realClock, realRandom, realTimers, realWorld } from '../../protocol/real-world.ts'

t.test(
  'the wall clock is in whole milliseconds since 1970, the monotonic one never goes back',
  async t => {
    t.ok(Number.isInteger(realClock.wallMs()))
    t.ok(realClock.wallMs() > Date.UTC(2020))
    let last = realClock.monotonicMs()
    for (let i = 0; i < 10_000; i++) {
      const now = realClock.monotonicMs()
      if (now < last) t.fail('went back')
      last = now
    }
  },
)

t.test('timers run once, in order of their delay; a cancelled one never does', async t => {
  const ran: string[] = []
  const cancelled = realTimers.after(0, () => ran.push('cancelled'))
  cancelled.cancel()
  cancelled.cancel()
  await new Promise<void>(resolve => {
    realTimers.after(3, resolve)
    realTimers.after(1, () => ran.push('late'), { background: true })
    realTimers.after(-5, () => ran.push('negative'))
    realTimers.endOfTurn(() => ran.push('end of turn'))
  })
  t.notOk(ran.includes('cancelled'))
  t.strictSame([...ran].sort(), ['end of turn', 'late', 'negative'])
})

t.test('a delay beyond what Node can count is not fired at once', async t => {
  let fired = false
  const timer = realTimers.after(2 ** 40, () => {
    fired = true
  })
  await new Promise<void>(resolve => realTimers.after(5, resolve))
  timer.cancel()
  t.notOk(fired)
})

t.test('endOfTurn runs after everything of this turn, microtasks too', async t => {
  const order: string[] = []
  await new Promise<void>(resolve => {
    realTimers.endOfTurn(() => {
      order.push('end')
      resolve()
    })
    queueMicrotask(() => order.push('microtask'))
    order.push('turn')
  })
  t.strictSame(order, ['turn', 'microtask', 'end'])
})

t.test('random integers have the bits asked for, all of them', async t => {
  const random = realRandom()
  for (const bits of [1, 2, 31, 32, 33, 52]) {
    let seenOnes = 0n
    let seenZeros = 0n
    for (let i = 0; i < 300; i++) {
      const n = random.bits(bits)
      if (!Number.isSafeInteger(n) || n < 0 || n >= 2 ** bits) t.fail(`${n} of ${bits} bits`)
      seenOnes |= BigInt(n)
      seenZeros |= ~BigInt(n)
    }
    const all = (1n << BigInt(bits)) - 1n
    t.equal(seenOnes & all, all, `each of ${bits} bits was 1`)
    t.equal(seenZeros & all, all, `each of ${bits} bits was 0`)
  }
})

t.test('fractions are below one, and spread', async t => {
  const random = realRandom()
  let sum = 0
  for (let i = 0; i < 10_000; i++) {
    const fraction = random.fraction()
    if (fraction < 0 || fraction >= 1) t.fail(`${fraction}`)
    sum += fraction
  }
  t.ok(Math.abs(sum / 10_000 - 0.5) < 0.05)
})

t.test('random bytes come in any length and are not all zero', async t => {
  const random = realRandom()
  t.equal(random.bytes(0).byteLength, 0)
  const many = random.bytes(200_000)
  t.equal(many.byteLength, 200_000)
  for (let at = 0; at < many.length; at += 50_000) {
    t.ok(many.subarray(at, at + 1000).some(byte => byte !== 0))
  }
  t.notSame(random.bytes(16), random.bytes(16))
})

t.test('realWorld is complete', async t => {
  const world = await realWorld()
  t.equal(world.compression.canRead('gzip'), true)
  t.ok(world.clock.monotonicMs() > 0)
  t.equal(typeof world.network.dial, 'function')
})
