/**
 * What else may lie in a data directory: bytes of another format where a segment should be, strange
 * files and names. The broker says what it cannot use, leaves it as it is, and serves the rest.
 */
import t from 'tap'
import { createBroker } from '../../../broker/server/broker.ts'
import type { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import type { Peer } from '../../support/direct-network.ts'
import { batchOf, testWorld } from '../../support/test-broker.ts'

const config = { dataDir: '/data', minFreeBytes: 0 }
const encoder = new TextEncoder()
const png = Uint8Array.from([
  0x89,
  0x50,
  0x4e,
  0x47,
  13,
  10,
  26,
  10,
  ...new Uint8Array(200).fill(7),
])

async function put(disk: MemoryDisk, path: string, content: Uint8Array): Promise<void> {
  await disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
  const file = await disk.open(path, 'update').catch(() => disk.open(path, 'create'))
  await file.truncate(0)
  await file.write([content], 0)
  await file.close()
}

async function contentOf(disk: MemoryDisk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read')
  return file.read(0, await file.size())
}

async function produceTo(peer: Peer, name: string) {
  const { header } = await peer.call('metadata', { topics: [name] })
  const topicId = (header.topics as { topicId: string }[])[0]?.topicId ?? ''
  const partitions = [{ topic: name, topicId, partition: 0 }]
  const answer = await peer.call('produce', { acks: 'all', timeoutMs: 1000, partitions }, [
    batchOf('x'),
  ])
  const [entry] = answer.header.partitions as { baseOffset?: number; error?: { code: string } }[]
  return entry?.error?.code ?? entry?.baseOffset
}

t.test('a segment that holds another format is refused by name, unchanged, and alone', async t => {
  const world = await testWorld()
  const topics = [{ name: 'good' }, { name: 'bad' }]
  const first = await createBroker(config, world, { topics })
  const peer = await world.network.connect().hello()
  t.equal(await produceTo(peer, 'bad'), 0)
  t.equal(await produceTo(peer, 'good'), 0)
  await first.close()
  const path = '/data/bad-0/00000000000000000000.log'
  for (const content of [png, encoder.encode('{"not":"a log"}\n'.repeat(20))]) {
    await put(world.disk, path, content)
    const errors: unknown[] = []
    const note = (values: object, message: string) => errors.push([values, message])
    const ignore = () => {}
    const logger = { debug: ignore, info: ignore, warn: note, error: note }
    const broker = await createBroker(config, world, { logger })
    const again = await world.network.connect().hello()
    t.equal(await produceTo(again, 'bad'), 'KAFKA_STORAGE_ERROR')
    t.type(await produceTo(again, 'good'), 'number')
    t.match(JSON.stringify(errors), /bad/, 'the log of the broker names it')
    await broker.close()
    t.same(await contentOf(world.disk, path), content, 'left as it was')
  }
  t.same(world.deaths, [])
})

t.test('files and directories of others are left alone', async t => {
  const world = await testWorld()
  const strange = {
    '/data/README.txt': encoder.encode('hello'),
    '/data/lost+found/x': png,
    '/data/photos-2024/img.png': png,
    '/data/notes-0': encoder.encode('a file that is named like a partition'),
    '/data/empty-0/index.html': png,
    '/data/meta.properties': encoder.encode('version=1\nnode.id=1\n'),
  }
  for (const [path, content] of Object.entries(strange)) await put(world.disk, path, content)
  const broker = await createBroker(config, world, { topics: [{ name: 'good' }] })
  t.teardown(() => broker.close())
  const peer = await world.network.connect().hello()
  t.equal(await produceTo(peer, 'good'), 0)
  for (const [path, content] of Object.entries(strange)) {
    t.same(await contentOf(world.disk, path), content, path)
  }
  t.same(world.deaths, [])
})
