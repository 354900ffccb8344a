/**
 * The one-broker scenario in every test run: a few seeds of the real broker and the real SDK, and
 * the proof that it sees what it looks for: with a disk that does not keep what it said it has
 * synced, acked records are lost, and the scenario says so.
 */
import t from 'tap'
import type { Disk, DiskFile } from '../../../broker/world/disk.ts'
import { runSeeds } from '../scenario.ts'
import type { SimWorld } from '../sim-world.ts'
import { oneBroker } from './one-broker.ts'

t.test('one broker keeps every acked record through crashes, power cuts and bad disks', async t => {
  const summary = await runSeeds({ scenarios: [oneBroker], firstSeed: 1, seeds: 60 })
  t.same(
    summary.failures.map(({ message }) => message),
    [],
  )
  t.equal(summary.passed, 60)
})

/** Nothing that is written is ever synced, though every sync says so. */
function withLyingDisk(world: SimWorld): SimWorld {
  const lying = new WeakMap<object, unknown>()
  const node = (name: string) => {
    const real = world.node(name)
    const known = lying.get(real) as typeof real | undefined
    if (known !== undefined) return known
    const made = { ...real, disk: lyingDisk(real.disk) }
    lying.set(real, made)
    return made
  }
  return new Proxy(world, {
    get(target, name) {
      if (name === 'node') return node
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function lyingDisk(disk: Disk): Disk {
  return override(disk, {
    open: async (path: string, mode: 'read' | 'update' | 'create') => {
      const file = await disk.open(path, mode)
      return path.endsWith('.log') ? override<DiskFile>(file, { sync: async () => {} }) : file
    },
  })
}

/** `inner` with some methods replaced; the others keep their own `this`. */
function override<T extends object>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const own = Reflect.get(methods, name)
      if (own !== undefined) return own
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

t.test(
  'a disk that lies about its syncs is found out, and the seed says how to repeat it',
  async t => {
    const lied = { ...oneBroker, run: (world: SimWorld) => oneBroker.run(withLyingDisk(world)) }
    const options = { scenarios: [lied], firstSeed: 1, seeds: 60, maxFailures: 1 }
    const { failures } = await runSeeds(options)
    t.equal(failures.length, 1)
    t.match(failures[0]?.message, /one-broker, seed \d+/)
    t.match(failures[0]?.message, /npm run sim -- --scenario one-broker --seed \d+/)
    t.comment(failures[0]?.message.split('\n')[0] ?? '')
  },
)
