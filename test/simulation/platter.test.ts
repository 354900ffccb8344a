/**
 * Power loss and directory entries, plans given, enumerated and drawn.
 */
import t from 'tap'
import { bits, contentOf, filled, keeping, onDisk } from './disk-setting.ts'
import { everyPlan, keepEverything, loseEverything } from './power-loss.ts'

t.test('a synced file is gone with its unsynced directory entry', async t => {
  await onDisk(async ({ world }) => {
    const { disk } = world.node('a')
    const file = await disk.open('/data/new', 'create')
    await file.write([filled(10, 1)], 0)
    await file.sync()
    world.powerLoss('a', loseEverything)
    t.equal(await world.node('a').disk.stat('/data/new'), null)
  })
})

t.test('create, rename and remove are each done or undone, in any subset', async t => {
  const outcomes = new Set<string>()
  for (let mask = 0; mask < 8; mask++) {
    await onDisk(async ({ world }) => {
      const { disk } = world.node('a')
      await disk.open('/data/tmp', 'create')
      await disk.rename('/data/tmp', '/data/final')
      await disk.removeFile('/data/file')
      t.same(
        world
          .diskOf('a')
          .platter.pending()
          .changes.map(({ kind }) => kind),
        ['create', 'rename', 'remove'],
      )
      world.powerLoss('a', { ...loseEverything, keepEntries: () => bits(mask, 3) })
      outcomes.add((await world.node('a').disk.list('/data')).join(' '))
    })
  }
  const expected = ['file', 'file tmp', 'file final', '', 'tmp', 'final']
  t.same([...outcomes].sort(), expected.sort())
})

t.test(
  'a synced directory keeps its changes; the parent has to be synced for the directory',
  async t => {
    await onDisk(async ({ world }) => {
      const { disk } = world.node('a')
      await disk.makeDirectory('/data/topic')
      await disk.open('/data/topic/log', 'create')
      await disk.syncDirectory('/data/topic')
      const { platter } = world.diskOf('a')
      t.same([...directoryOf(platter.imageAfterPowerLoss(loseEverything), 'data').keys()], ['file'])
      await disk.syncDirectory('/data')
      world.powerLoss('a', loseEverything)
      t.same(await world.node('a').disk.list('/data/topic'), ['log'])
    })
  },
)

t.test('a rename between directories is durable when both are synced', async t => {
  await onDisk(async ({ world }) => {
    const { disk } = world.node('a')
    await disk.makeDirectory('/other')
    await disk.syncDirectory('/')
    await disk.rename('/data/file', '/other/file')
    await disk.syncDirectory('/other')
    const { platter } = world.diskOf('a')
    t.same([...directoryOf(platter.imageAfterPowerLoss(loseEverything), 'data').keys()], ['file'])
    await disk.syncDirectory('/data')
    world.powerLoss('a', loseEverything)
    t.same(await world.node('a').disk.list('/data'), [])
    t.same(await world.node('a').disk.list('/other'), ['file'])
  })
})

t.test('a replaced file comes back when the rename is undone', async t => {
  await onDisk(async ({ world, file }) => {
    const { disk } = world.node('a')
    await file.write([filled(3, 1)], 0)
    await file.sync()
    const fresh = await disk.open('/data/tmp', 'create')
    await fresh.write([filled(3, 2)], 0)
    await fresh.sync()
    await disk.syncDirectory('/data')
    await disk.rename('/data/tmp', '/data/file')
    world.powerLoss('a', loseEverything)
    t.same(await contentOf(world), filled(3, 1))
    t.same(await world.node('a').disk.list('/data'), ['file', 'tmp'])
  })
})

t.test('looking at an image after a power loss changes nothing', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(9000, 3)], 0)
    const { platter } = world.diskOf('a')
    for (let mask = 0; mask < 8; mask++) {
      platter.imageAfterPowerLoss(keeping({ keep: bits(mask, 3), grown: true }))
    }
    world.powerLoss('a', keepEverything)
    t.same(await contentOf(world), filled(9000, 3))
  })
})

t.test(
  'an image of the page cache is what a killed process leaves, and loads into another disk',
  async t => {
    await onDisk(async ({ world, file }) => {
      await file.write([filled(5, 1)], 0)
      const image = world.diskOf('a').platter.cachedImage()
      t.same(directoryOf(image, 'data').get('file'), filled(5, 1))
      world.diskOf('b').load(image)
      world.powerLoss('b', loseEverything)
      const { disk } = world.node('b')
      t.equal((await disk.stat('/data/file'))?.size, 5)
      t.equal(world.diskOf('b').usedBytes, 5)
    })
  },
)

t.test('every plan: all subsets of entries and pages, and nothing else, can be tried', async t => {
  await onDisk(async ({ world, file }) => {
    const { disk } = world.node('a')
    await file.write([filled(2 * 4096, 7)], 0)
    const other = await disk.open('/data/new', 'create')
    await other.write([filled(1, 8)], 0)
    await disk.rename('/data/new', '/data/newer')
    const { platter } = world.diskOf('a')
    const images = new Set<string>()
    let plans = 0
    for (const plan of everyPlan(platter.pending())) {
      plans++
      const entries = [...directoryOf(platter.imageAfterPowerLoss(plan), 'data')]
      images.add(entries.map(([name, bytes]) => `${name}:${shape(bytes)}`).join(' '))
    }
    t.equal(plans, 2 ** 5 * 2)
    const expected = [
      ...combined(['', '7', '0,7', '7,7'], ['', '8']),
      ...combined(['0,0', '7,0', '0,7', '7,7'], ['0', '8']),
    ]
    t.same([...images].sort(), [...new Set(expected)].sort())
  })
})

t.test('drawn plans reach every kind of loss', async t => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    await onDisk(async ({ world, file }) => {
      await file.write([filled(3 * 4096, 7)], 0)
      await world.node('a').disk.open('/data/new', 'create')
      world.powerLoss('a')
      const bytes = await contentOf(world)
      const pages = Math.ceil(bytes.length / 4096)
      const holes = Array.from({ length: pages }, (_, page) => bytes[page * 4096] === 0)
      seen.add(bytes.length === 0 ? 'nothing' : bytes.length % 4096 > 0 ? 'torn' : 'whole pages')
      if (holes.includes(true)) seen.add(holes.at(-1) === true ? 'grown' : 'out of order')
      seen.add(`entry ${(await world.node('a').disk.stat('/data/new')) !== null}`)
    }, seed)
  }
  const all = [
    'entry false',
    'entry true',
    'grown',
    'nothing',
    'out of order',
    'torn',
    'whole pages',
  ]
  t.same([...seen].sort(), all)
})

function directoryOf(image: Map<string, unknown>, name: string): Map<string, unknown> {
  const inner = image.get(name)
  if (inner instanceof Map) return inner
  throw new Error(`no directory ${name}`)
}

/**
 * Every content of the old file, with the new one absent or under either name with either content.
 */
function combined(old: string[], added: string[]): string[] {
  const extras = ['', ...['new', 'newer'].flatMap(name => added.map(one => ` ${name}:${one}`))]
  return old.flatMap(content => extras.map(extra => `file:${content}${extra}`))
}

/** The first byte of each page. */
function shape(bytes: unknown): string {
  if (!(bytes instanceof Uint8Array)) return 'directory'
  return Array.from(
    { length: Math.ceil(bytes.length / 4096) },
    (_, page) => bytes[page * 4096],
  ).join()
}
