/**
 * The simulated disk: the contract, and what goes wrong while it runs.
 */
import t from 'tap'
import type { Disk } from '../../broker/world/disk.ts'
import { fails, testDiskContract } from '../broker/world/disk.contract.ts'
import { Generation } from './generation.ts'
import { Scheduler } from './scheduler.ts'
import { SimDisk } from './sim-disk.ts'
import { SimDiskDoor } from './sim-disk-door.ts'
import { SimWorld } from './sim-world.ts'

t.test('the simulated disk keeps the contract of disks', async t => {
  await testDiskContract(t, async () => {
    const scheduler = new Scheduler({ seed: 1 })
    const disk = new SimDisk({ scheduler, name: 'a' })
    disk.platter.makeDirectory('/data')
    return {
      disk: new SimDiskDoor(disk, new Generation('a', 1)),
      directory: '/data',
      drive: body => scheduler.drive(body),
    }
  })
})

t.test(
  'a full disk takes what fits, then says so; room comes back by cutting and removing',
  async t => {
    const world = new SimWorld({ seed: 1 })
    world.diskOf('a').capacityBytes = 1000
    await world.run(async () => {
      const { disk } = world.node('a')
      const file = await disk.open('/a', 'create')
      t.equal(await file.write([new Uint8Array(600), new Uint8Array(600)], 0), 1000)
      await fails(t, 'noSpace', file.write([new Uint8Array(1)], 1000))
      t.equal(await file.write([new Uint8Array(1000)], 0), 1000, 'old bytes need no room')
      t.equal(await disk.freeBytes('/'), 0)
      await file.truncate(400)
      t.equal(await disk.freeBytes('/'), 600)
      await disk.removeFile('/a')
      t.equal(await disk.freeBytes('/'), 1000)
      await file.close()
    })
  },
)

t.test('faults: an error, a slow call, one that never ends', async t => {
  const world = new SimWorld({ seed: 1 })
  const { disk } = world.node('a')
  await world.run(async () => {
    const file = await disk.open('/a', 'create')
    world.diskOf('a').fault = ({ name }) => (name === 'read' ? { error: 'io' } : undefined)
    await fails(t, 'io', file.read(0, 1))
    t.equal(await file.size(), 0, 'other calls go well')
    world.diskOf('a').fault = () => ({ delayMs: 5000 })
    const startMs = world.scheduler.nowMs
    await file.sync()
    t.ok(world.scheduler.nowMs - startMs >= 5000)
    world.diskOf('a').fault = ({ name }) => (name === 'sync' ? 'hang' : undefined)
    let isSynced = false
    void file.sync().then(() => {
      isSynced = true
    })
    await world.sleep(1_000_000)
    t.notOk(isSynced)
  })
})

t.test('a write that fails may have been done in part, never beyond its bytes', async t => {
  const sizes = new Set<number>()
  for (let seed = 0; seed < 30; seed++) {
    const world = new SimWorld({ seed })
    await world.run(async () => {
      const file = await world.node('a').disk.open('/a', 'create')
      world.diskOf('a').fault = ({ name }) => (name === 'write' ? { error: 'io' } : undefined)
      await fails(t, 'io', file.write([new Uint8Array(10)], 0))
      sizes.add(await file.size())
    })
  }
  t.ok(sizes.size > 5 && Math.max(...sizes) <= 10, [...sizes].join())
})

t.test('a buffer that changes during its write fails the run', async t => {
  const world = new SimWorld({ seed: 1 })
  const reused = world.run(async () => {
    const file = await world.node('a').disk.open('/a', 'create')
    const bytes = new Uint8Array(10)
    const written = file.write([bytes], 0)
    bytes[3] = 1
    await written
    await world.sleep(1)
  })
  await t.rejects(reused, /the bytes of a write changed before it ended/)
})

t.test('a file that is closed under a call fails the run', async t => {
  const world = new SimWorld({ seed: 1 })
  const closed = world.run(async () => {
    const file = await world.node('a').disk.open('/a', 'create')
    void file.sync()
    await file.close()
    await world.sleep(1)
  })
  await t.rejects(closed, /closed with 1 calls under way/)
})

t.test('a crash frees locks, answers no call, and leaves calls done or undone', async t => {
  const contents = new Set<number>()
  for (let seed = 0; seed < 20; seed++) {
    const world = new SimWorld({ seed })
    await world.run(async () => {
      const before = world.node('a').disk
      t.ok(await before.lock('/lock'))
      const file = await before.open('/a', 'create')
      let isAnswered = false
      void file.write([new Uint8Array(5)], 0).finally(() => {
        isAnswered = true
      })
      world.crashProcess('a')
      const after = world.node('a').disk
      t.ok(await after.lock('/lock'), 'the lock of the dead is free')
      await world.sleep(1000)
      t.notOk(isAnswered)
      contents.add((await after.stat('/a'))?.size ?? -1)
      await requireSilence(world, before)
    })
  }
  t.same([...contents].sort(), [0, 5])
})

async function requireSilence(world: SimWorld, disk: Disk): Promise<void> {
  void disk.makeDirectory('/zombie').then(() => {
    throw new Error('a dead process was answered')
  })
  await world.sleep(100)
  if ((await world.node('a').disk.stat('/zombie')) !== null) throw new Error('a zombie wrote')
}
