/** The catalogue: pure rules, durability of a change, and taking possession of a data directory. */
import t from 'tap'
import {
  type Catalogue,
  type CatalogueCommand,
  type CatalogueTopic,
  nextCatalogue,
} from '../../../broker/metadata/catalogue.ts'
import { openDataDirectory } from '../../../broker/metadata/data-directory.ts'
import { base64Url, newId } from '../../../broker/metadata/new-id.ts'
import { writeCheckedFile } from '../../../broker/storage/checked-file.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { realRandom } from '../../../protocol/real-world.ts'
import { testWorld } from '../../support/test-broker.ts'

const empty: Catalogue = {
  clusterId: 'c',
  brokerId: 1,
  revision: 0,
  topics: new Map(),
  tombstones: [],
}
let ids = 0
const topic = (name: string, more: Partial<CatalogueTopic> = {}): CatalogueTopic => ({
  name,
  topicId: `id-${ids++}`,
  partitions: 1,
  configs: {},
  createdAtMs: 0,
  ...more,
})
const create = (name: string, more: Partial<CatalogueTopic> = {}): CatalogueCommand => ({
  type: 'create',
  topic: topic(name, more),
})

function after(...commands: CatalogueCommand[]): Catalogue {
  return commands.reduce((catalogue, command) => {
    const next = nextCatalogue(catalogue, command)
    if (SluiceError.is(next)) throw next
    return next
  }, empty)
}
function refusal(catalogue: Catalogue, command: CatalogueCommand): string | null {
  const next = nextCatalogue(catalogue, command)
  return SluiceError.is(next) ? next.code : null
}

t.test('a topic name is one harmless directory name', async t => {
  for (const name of ['a', 'A.b_c-9', '...', 'x'.repeat(249), '__internal']) {
    t.equal(refusal(empty, create(name)), null, name)
  }
  for (const name of ['', '.', '..', '../x', 'a/b', 'a b', 'ä', 'a\0', 'x'.repeat(250)]) {
    t.equal(refusal(empty, create(name)), 'INVALID_TOPIC', JSON.stringify(name))
  }
})

t.test('each command is refused for its own reason and then changes nothing', async t => {
  const one = after(create('orders', { topicId: 'first', partitions: 2 }))
  const cases: [CatalogueCommand, string][] = [
    [create('orders'), 'TOPIC_ALREADY_EXISTS'],
    [create('other', { topicId: 'first' }), 'UNKNOWN_TOPIC_ID'],
    [create('other', { partitions: 0 }), 'INVALID_PARTITIONS'],
    [create('other', { partitions: 10_001 }), 'INVALID_PARTITIONS'],
    [create('other', { configs: { 'retention.ms': 'x' } }), 'INVALID_CONFIG'],
    [{ type: 'delete', name: 'nobody', atMs: 0 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ type: 'delete', name: 'orders', topicId: 'stale', atMs: 0 }, 'UNKNOWN_TOPIC_ID'],
    [{ type: 'addPartitions', name: 'orders', total: 2 }, 'INVALID_PARTITIONS'],
    [{ type: 'addPartitions', name: 'nobody', total: 2 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ type: 'alterConfigs', name: 'orders', configs: { x: null } }, 'INVALID_CONFIG'],
    [{ type: 'alterConfigs', name: 'orders', configs: { flush: 'x' } }, 'INVALID_CONFIG'],
  ]
  for (const [command, code] of cases) t.equal(refusal(one, command), code, JSON.stringify(command))
  t.equal(one.revision, 1)
})

t.test(
  'a deleted topic leaves a tombstone, and its name and id are not free until it is forgotten',
  async t => {
    const deleted = after(create('orders', { topicId: 'first' }), {
      type: 'delete',
      name: 'orders',
      atMs: 5,
    })
    t.match(deleted.tombstones, [{ name: 'orders', topicId: 'first', deletedAtMs: 5 }])
    t.equal(refusal(deleted, create('orders')), 'TOPIC_ALREADY_EXISTS')
    t.equal(refusal(deleted, create('other', { topicId: 'first' })), 'UNKNOWN_TOPIC_ID')
    const forgotten = nextCatalogue(deleted, { type: 'forget', topicIds: ['first'] }) as Catalogue
    t.equal(refusal(forgotten, create('orders')), null)
  },
)

t.test('null takes a setting back to its default', async t => {
  const altered = after(create('a', { configs: { flush: 'os', 'segment.ms': '1h' } }), {
    type: 'alterConfigs',
    name: 'a',
    configs: { flush: null, 'retention.ms': '1d' },
  })
  t.same(altered.topics.get('a')?.configs, { 'segment.ms': '1h', 'retention.ms': '1d' })
})

t.test('ids are 22 characters of base64url and never begin with a dash', async t => {
  t.equal(base64Url(new TextEncoder().encode('any carnal pleasure')), 'YW55IGNhcm5hbCBwbGVhc3VyZQ')
  t.equal(base64Url(new Uint8Array(16).fill(255)), '_____________________w')
  const random = realRandom()
  const made = Array.from({ length: 500 }, () => newId(random))
  t.ok(made.every(id => /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/.test(id)))
  t.equal(new Set(made).size, 500)
})

t.test(
  'a committed change is there after a restart, and the lock lets the next broker in',
  async t => {
    const world = await testWorld()
    const first = await openDataDirectory(world, '/d', 1)
    await first.store.commit(create('orders', { partitions: 4, configs: { flush: 'os' } }))
    await t.rejects(openDataDirectory(world, '/d', 1), { code: 'DATA_DIR_IN_USE' })
    await first.release()
    const second = await openDataDirectory(world, '/d', 1)
    t.match(second.store.current.topics.get('orders'), { partitions: 4, configs: { flush: 'os' } })
    t.equal(second.store.current.clusterId, first.store.current.clusterId)
    await second.release()
    await t.rejects(openDataDirectory(world, '/d', 2), {
      code: 'DATA_DIR_UNUSABLE',
      message: /belongs to broker 1/,
    })
  },
)

t.test('commits that are given at once come one after the other', async t => {
  const world = await testWorld()
  const { store } = await openDataDirectory(world, '/d', 1)
  const results = await Promise.allSettled([
    store.commit(create('a')),
    store.commit(create('a')),
    store.commit(create('b')),
  ])
  t.same(
    results.map(result => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.equal(store.current.revision, 2)
})

t.test('a directory of a newer format is refused by name and left alone', async t => {
  const world = await testWorld()
  for (const name of ['format', 'catalogue']) {
    const directory = `/${name}`
    await world.disk.makeDirectory(directory)
    await writeCheckedFile(world.disk, { directory, name, kind: name }, 2, { future: true })
    await t.rejects(openDataDirectory(world, directory, 1), {
      code: 'NEWER_FORMAT',
      message: /format 2/,
    })
  }
})

t.test(
  'bytes of another format in the place of our files are refused, not overwritten',
  async t => {
    const world = await testWorld()
    for (const name of ['format', 'catalogue']) {
      const directory = `/other-${name}`
      await world.disk.makeDirectory(directory)
      const file = await world.disk.open(`${directory}/${name}`, 'create')
      await file.write([new TextEncoder().encode('PNG\n\x00\x01')], 0)
      await file.close()
      await t.rejects(openDataDirectory(world, directory, 1), { code: 'DATA_DIR_UNUSABLE' })
      t.equal((await world.disk.stat(`${directory}/${name}`))?.size, 6)
    }
  },
)

t.test('no room for a change refuses it as DISK_FULL and changes nothing', async t => {
  const world = await testWorld(new MemoryDisk({ capacityBytes: 2000 }))
  const { store, release } = await openDataDirectory(world, '/d', 1)
  const configs = Object.fromEntries([['retention.ms', '1'.repeat(12)]])
  let refused: unknown = null
  for (let i = 0; i < 40 && refused === null; i++) {
    await store.commit(create(`topic-${i}`, { configs })).catch(error => {
      refused = error
    })
  }
  t.match(refused, { code: 'DISK_FULL', maybeApplied: false })
  t.same(world.deaths, [])
  const count = store.current.topics.size
  t.ok(count > 0)
  await release()
  const again = await openDataDirectory(world, '/d', 1)
  t.equal(again.store.current.topics.size, count)
  await again.release()
})
