/**
 * Power loss and file content: pages, torn sectors, sizes, cuts, and what a failed sync does.
 */
import t from 'tap'
import { bits, contentOf, filled, keeping, onDisk } from './disk-setting.ts'
import type { FileLoss } from './power-loss.ts'
import { keepEverything, loseEverything } from './power-loss.ts'

t.test('the death of a process loses nothing, a power loss all that was not synced', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(100, 1)], 0)
    await file.sync()
    await file.write([filled(100, 2)], 100)
    world.crashProcess('a')
    t.equal((await contentOf(world)).length, 200)
    world.powerLoss('a', loseEverything)
    t.same(await contentOf(world), filled(100, 1))
  })
})

t.test('pages survive in any subset: holes are zeros, the end is the last page kept', async t => {
  const results: string[] = []
  for (let mask = 0; mask < 8; mask++) {
    await onDisk(async ({ world, file }) => {
      await file.write([filled(3 * 4096, 7)], 0)
      t.equal(world.diskOf('a').platter.pending().files[0]?.pieces.length, 3)
      world.powerLoss('a', keeping({ keep: bits(mask, 3), grown: false }))
      const bytes = await contentOf(world)
      const pages = Array.from({ length: bytes.length / 4096 }, (_, page) => bytes[page * 4096])
      results.push(pages.join(''))
    })
  }
  t.same(results, ['', '7', '07', '77', '007', '707', '077', '777'])
})

t.test('a write is cut at page borders of the file, not of the write', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(4000, 1), filled(1000, 2)], 100)
    const [pending] = world.diskOf('a').platter.pending().files
    t.same(
      pending?.pieces.map(({ kind, position, length }) => [kind, position, length]),
      [
        ['data', 100, 3996],
        ['data', 4096, 1004],
      ],
    )
    await world.sleep(0)
  })
})

t.test('a piece is torn at a sector border of the file', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(3000, 5)], 100)
    const loss: FileLoss = { keep: [true], torn: { piece: 0, sectors: 2 }, grown: false }
    world.powerLoss('a', keeping(loss))
    t.equal((await contentOf(world)).length, 1024)
  })
})

t.test('a file may have its new size without its new bytes', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(10, 1)], 0)
    await file.sync()
    await file.write([filled(5000, 2)], 10)
    world.powerLoss('a', keeping({ keep: [false, false], grown: true }))
    const bytes = await contentOf(world)
    t.equal(bytes.length, 5010)
    t.same([bytes[9], bytes[10], bytes[5009]], [1, 0, 0])
  })
})

t.test('a cut is undone unless it was synced', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(100, 1)], 0)
    await file.sync()
    await file.truncate(40)
    world.powerLoss('a', loseEverything)
    t.equal((await contentOf(world)).length, 100)
    const again = await world.node('a').disk.open('/data/file', 'update')
    await again.truncate(40)
    await again.sync()
    world.powerLoss('a', loseEverything)
    t.equal((await contentOf(world)).length, 40)
  })
})

t.test('what is written while a sync is under way is not durable by it', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(10, 1)], 0)
    const sync = file.sync()
    await file.write([filled(10, 2)], 10)
    await sync
    world.powerLoss('a', loseEverything)
    t.equal((await contentOf(world)).length, 10)
  })
})

t.test(
  'after a failed sync readers see the bytes, later syncs succeed, and power takes them',
  async t => {
    await onDisk(async ({ world, file }) => {
      await file.write([filled(10, 1)], 0)
      world.diskOf('a').fault = ({ name }) => (name === 'sync' ? { error: 'io' } : undefined)
      await t.rejects(file.sync(), { message: /sync failed/ })
      world.diskOf('a').fault = undefined
      world.crashProcess('a')
      t.same(await contentOf(world), filled(10, 1), 'still in the page cache')
      const again = await world.node('a').disk.open('/data/file', 'update')
      await again.sync()
      world.powerLoss('a', keepEverything)
      t.same(await contentOf(world), filled(10, 0), 'the sync said yes, the bytes are gone')
    })
  },
)

for (const isCut of [false, true]) {
  const fate = isCut
    ? 'durable where the file was cut first'
    : 'lost where they lie over themselves'
  t.test(`bytes that are written again after a failed sync are ${fate}`, async t => {
    await onDisk(async ({ world, file }) => {
      await file.write([filled(10, 1)], 0)
      world.diskOf('a').fault = ({ name }) => (name === 'sync' ? { error: 'noSpace' } : undefined)
      await t.rejects(file.sync(), { message: /noSpace/ })
      world.diskOf('a').fault = undefined
      if (isCut) await file.truncate(0)
      await file.write([filled(10, 1)], 0)
      await file.sync()
      world.powerLoss('a', keepEverything)
      t.same(await contentOf(world), filled(10, isCut ? 1 : 0))
    })
  })
}
