/**
 * The simulated world: clocks, timers, processes that die, machines that come back, one digest.
 */
import t from 'tap'
import { loseEverything } from './power-loss.ts'
import { SimWorld } from './sim-world.ts'

t.test('the clocks of two machines share nothing but their speed', async t => {
  const world = new SimWorld({ seed: 1 })
  const [a, b] = [world.node('a').clock, world.node('b').clock]
  const wallMs = a.wallMs()
  const monotonicMs = a.monotonicMs()
  t.not(a.monotonicMs(), b.monotonicMs())
  await world.run(() => world.sleep(1500))
  t.equal(a.wallMs() - wallMs, 1500)
  world.jumpWall('a', -600_000)
  t.equal(a.wallMs() - wallMs, 1500 - 600_000)
  t.equal(a.monotonicMs() - monotonicMs, 1500, 'the monotonic clock does not jump')
  t.equal(b.wallMs() - wallMs, 1500)
})

t.test(
  'timers run on time and can be cancelled; end-of-turn callbacks keep their order',
  async t => {
    const world = new SimWorld({ seed: 1 })
    const { timers } = world.node('a')
    const seen: string[] = []
    const names = [...'tuvwxyz']
    await world.run(async () => {
      timers.after(10, () => seen.push('ten'))
      timers.after(20, () => seen.push('never')).cancel()
      for (const name of names) timers.endOfTurn(() => seen.push(name))
      t.same(seen, [], 'nothing runs at once')
      await world.sleep(5)
      t.same(seen, names)
      await world.sleep(20)
    })
    t.same(seen, [...names, 'ten'])
  },
)

t.test('input that comes in time is handled before the end of the turn', async t => {
  const orders = new Set<string>()
  for (let seed = 0; seed < 30; seed++) {
    const world = new SimWorld({ seed })
    let order = ''
    const { timers } = world.node('a')
    timers.endOfTurn(() => {
      order += 'end '
    })
    world.scheduler.after(0.02, () => {
      order += 'input '
    })
    await world.run(() => world.sleep(1))
    orders.add(order)
  }
  t.same([...orders].sort(), ['end input ', 'input end '])
})

t.test('die ends the process for good and says why; the next one is a new life', async t => {
  const world = new SimWorld({ seed: 1 })
  await world.run(async () => {
    const { process, timers, random } = world.node('a')
    timers.after(10, () => t.fail('a timer of a dead process ran'))
    await world.sleep(5)
    process.die('fsync failed', 'EIO')
    process.die('said twice')
    t.notOk(world.isRunning('a'))
    await world.sleep(20)
    t.same(world.deaths, [{ node: 'a', reason: 'fsync failed', cause: 'EIO', atMs: 5 }])
    const next = world.node('a')
    t.equal(next, world.node('a'), 'the running process is returned')
    t.not(next.random, random)
    next.timers.after(1, () => t.pass('the new process lives'))
    await world.sleep(5)
  })
})

t.test('what a process throws after its death is not held against it, before it is', async t => {
  const fall = (isDying: boolean) => {
    const world = new SimWorld({ seed: 1 })
    const { process, disk, timers } = world.node('a')
    return world.run(async () => {
      timers.after(1, async () => {
        await disk.list('/')
        if (isDying) process.die('broken')
        throw new Error('and then it threw')
      })
      await world.sleep(100)
    })
  }
  await fall(true)
  await t.rejects(fall(false), { message: 'and then it threw' })
})

t.test('a disk outlives its process, a machine its power', async t => {
  const world = new SimWorld({ seed: 1 })
  await world.run(async () => {
    await world.node('a').disk.makeDirectory('/data')
    world.crashProcess('a')
    t.same(await world.node('a').disk.list('/'), ['data'])
    world.powerLoss('a', loseEverything)
    t.notOk(world.isRunning('a'))
    t.same(await world.node('a').disk.list('/'), [])
  })
})

t.test('a whole world ends with the same digest for the same seed', async t => {
  const digestOf = async (seed: number, text: string) => {
    const world = new SimWorld({ seed })
    await world.run(async () => {
      const file = await world.node('a').disk.open('/a', 'create')
      await file.write([new TextEncoder().encode(text)], 0)
      world.powerLoss('a')
      await world.node('a').disk.stat('/a')
    })
    return world.digest
  }
  t.equal(await digestOf(1, 'abc'), await digestOf(1, 'abc'))
  t.not(await digestOf(1, 'abc'), await digestOf(2, 'abc'))
  t.not(await digestOf(1, 'abc'), await digestOf(1, 'abcdef'), 'what is written counts')
})
