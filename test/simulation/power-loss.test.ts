/** Power loss: what survives, what does not, every way of it, and what a failed sync does. */
import t from 'tap'
import type { DiskFile } from '../../broker/world/disk.ts'
import type { FileLoss, PowerLossPlan } from './power-loss.ts'
import { keepEverything, loseEverything } from './power-loss.ts'
import { SimWorld } from './sim-world.ts'

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

t.test('bytes that are written again after a failed sync are durable', async t => {
  await onDisk(async ({ world, file }) => {
    await file.write([filled(10, 1)], 0)
    world.diskOf('a').fault = ({ name }) => (name === 'sync' ? { error: 'noSpace' } : undefined)
    await t.rejects(file.sync(), { message: /noSpace/ })
    world.diskOf('a').fault = undefined
    await file.write([filled(10, 1)], 0)
    await file.sync()
    world.powerLoss('a', loseEverything)
    t.same(await contentOf(world), filled(10, 1))
  })
})

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

interface Setting {
  readonly world: SimWorld
  /** `/data/file`, empty, with durable entries. */
  readonly file: DiskFile
}

async function onDisk(body: (setting: Setting) => Promise<void>, seed = 1): Promise<void> {
  const world = new SimWorld({ seed })
  await world.run(async () => {
    const { disk } = world.node('a')
    await disk.makeDirectory('/data')
    const file = await disk.open('/data/file', 'create')
    await disk.syncDirectory('/data')
    await disk.syncDirectory('/')
    await body({ world, file })
  })
}

async function contentOf(world: SimWorld): Promise<Uint8Array> {
  const file = await world.node('a').disk.open('/data/file', 'read')
  const bytes = await file.read(0, await file.size())
  await file.close()
  return bytes
}

function directoryOf(image: Map<string, unknown>, name: string): Map<string, unknown> {
  const inner = image.get(name)
  if (inner instanceof Map) return inner
  throw new Error(`no directory ${name}`)
}

/** All entries, and of each file what `loss` says. */
function keeping(loss: FileLoss): PowerLossPlan {
  return { ...keepEverything, loseFile: () => loss }
}

function bits(mask: number, count: number): boolean[] {
  return Array.from({ length: count }, (_, bit) => ((mask >> bit) & 1) === 1)
}

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value)
}
