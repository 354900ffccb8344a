/**
 * The scheduler: order, virtual time, determinism, and each way in which a run fails.
 */
import t from 'tap'
import { Generation } from './generation.ts'
import { Scheduler } from './scheduler.ts'

t.test('events run in the order of their times, with all promise reactions in between', async t => {
  const scheduler = new Scheduler({ seed: 1 })
  const seen: string[] = []
  const note = (what: string) => () => {
    seen.push(`${what} at ${scheduler.nowMs}`)
    void hops(3).then(() => seen.push(`after ${what}`))
  }
  scheduler.after(20, note('b'))
  scheduler.after(10, note('a'))
  scheduler.after(30, note('never')).cancel()
  await scheduler.drive(() => scheduler.sleep(40))
  t.same(seen, ['a at 10', 'after a', 'b at 20', 'after b'])
  t.equal(scheduler.nowMs, 40)
})

t.test('an hour of virtual time takes no real one', async t => {
  const scheduler = new Scheduler({ seed: 1 })
  const startMs = performance.now()
  await scheduler.drive(() => scheduler.sleep(3_000_000))
  t.ok(performance.now() - startMs < 1000)
})

t.test('the order of simultaneous events comes from the seed', async t => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const first = await orderOf(seed)
    t.equal(await orderOf(seed), first, 'the same seed, the same order')
    orders.add(first)
  }
  t.ok(orders.size > 5, `${orders.size} orders of 24`)
})

t.test('events that must keep their order keep it', async t => {
  const scheduler = new Scheduler({ seed: 3 })
  const seen: number[] = []
  for (let index = 0; index < 50; index++) {
    scheduler.at(5, () => seen.push(index), { inOrder: true })
  }
  await scheduler.runUntil(5)
  t.same(
    seen,
    Array.from({ length: 50 }, (_, index) => index),
  )
})

t.test('the same seed gives the same digest, another one another', async t => {
  const digestOf = async (seed: number, delay: number, slowTurns = false) => {
    const scheduler = new Scheduler({ seed, slowTurns })
    const loop = async () => {
      for (let round = 0; round < 100; round++) await scheduler.sleep(delay)
    }
    await scheduler.drive(async () => {
      await Promise.all([loop(), loop()])
    })
    return scheduler.digest.toString()
  }
  const digest = await digestOf(7, 1)
  t.match(digest, /^[0-9a-f]{16}$/)
  t.equal(await digestOf(7, 1), digest)
  t.not(await digestOf(8, 1), digest)
  t.not(await digestOf(7, 1.5), digest)
  t.equal(await digestOf(7, 1, true), digest, 'also where promises cannot be drained at once')
})

t.test('nothing of a dead generation runs', async t => {
  const scheduler = new Scheduler({ seed: 1 })
  const generation = new Generation('a', 1)
  let runs = 0
  scheduler.after(5, () => runs++, { generation })
  scheduler.after(15, () => runs++, { generation })
  scheduler.after(10, () => generation.end())
  await scheduler.runUntil(20)
  t.equal(runs, 1)
  t.equal(scheduler.pending().size, 0)
})

t.test('a promise that nothing can settle fails the run instead of hanging it', async t => {
  const scheduler = new Scheduler({ seed: 1 })
  await t.rejects(
    scheduler.drive(() => new Promise(() => {})),
    /nothing is left to run/,
  )
})

t.test('the virtual deadline and the step limit name what is still to come', async t => {
  const forever = (scheduler: Scheduler) => () =>
    new Promise<void>(() => {
      const again = () => void scheduler.after(10, again, { label: 'heartbeat' })
      again()
    })
  const slow = new Scheduler({ seed: 1 })
  await t.rejects(slow.drive(forever(slow), { deadlineMs: 500 }), /deadline.*heartbeat ×/)
  t.ok(slow.nowMs <= 500)
  const busy = new Scheduler({ seed: 1, stepLimit: 1000 })
  await t.rejects(busy.drive(forever(busy)), /beyond 1000 events.*heartbeat ×/)
})

t.test('an event that throws and a rejection that nobody handles fail the run', async t => {
  const thrower = new Scheduler({ seed: 1 })
  thrower.after(1, () => {
    throw new Error('broken event')
  })
  await t.rejects(
    thrower.drive(() => thrower.sleep(10)),
    /broken event/,
  )
  const scheduler = new Scheduler({ seed: 1 })
  scheduler.after(1, () => void Promise.reject(new Error('nobody cares')))
  await t.rejects(
    scheduler.drive(() => scheduler.sleep(10)),
    /nobody cares/,
  )
})

t.test('a second drive at the same time is refused', async t => {
  const scheduler = new Scheduler({ seed: 1 })
  const first = scheduler.drive(() => scheduler.sleep(1))
  t.throws(() => scheduler.drive(() => scheduler.sleep(1)), /being driven already/)
  await first
})

t.test('the real world is out of reach while a run is under way, and back afterwards', async t => {
  const leaks: Record<string, () => unknown> = {
    'Date.now': () => Date.now(),
    'new Date()': () => new Date(),
    random: () => Math.random(),
    setTimeout: () => setTimeout(() => {}, 1),
    setInterval: () => setInterval(() => {}, 1),
    setImmediate: () => setImmediate(() => {}),
    now: () => performance.now(),
    hrtime: () => process.hrtime.bigint(),
    randomUUID: () => crypto.randomUUID(),
    timeout: () => AbortSignal.timeout(5),
    fetch: () => fetch('http://127.0.0.1:1'),
  }
  for (const [name, leak] of Object.entries(leaks)) {
    const scheduler = new Scheduler({ seed: 1 })
    const swallowed = async () => {
      await scheduler.sleep(1)
      try {
        leak()
      } catch {}
      await scheduler.sleep(1)
    }
    const message = new RegExp(`${name.replace('()', '\\(\\)')} was used inside a simulation`)
    await t.rejects(scheduler.drive(swallowed), message)
  }
  t.ok(Math.random() < 1)
  t.ok(Date.now() > 1_700_000_000_000)
  t.ok(new Date() instanceof Date)
  t.ok(performance.now() > 0)
  t.notOk(Object.hasOwn(crypto, 'randomUUID'), 'nothing is left behind')
})

t.test('what is pure stays within reach', async t => {
  const scheduler = new Scheduler({ seed: 1 })
  await scheduler.drive(async () => {
    t.equal(new Date(0).toISOString(), '1970-01-01T00:00:00.000Z')
    t.equal(Date.UTC(1970, 0, 2), 86_400_000)
  })
})

async function orderOf(seed: number): Promise<string> {
  const scheduler = new Scheduler({ seed })
  let order = ''
  for (const name of ['a', 'b', 'c', 'd']) scheduler.at(5, () => (order += name))
  await scheduler.runUntil(5)
  return order
}

async function hops(count: number): Promise<void> {
  for (let hop = 0; hop < count; hop++) await undefined
}
