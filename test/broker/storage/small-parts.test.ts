/** Permits, users, final syncs, file names, partition directories. */
import t from 'tap'
import {
  parsePartitionDirectory,
  parseSegmentFileName,
} from '../../../broker/storage/file-names.ts'
import { finalSync, SyncFailure } from '../../../broker/storage/final-sync.ts'
import { requireOffset } from '../../../broker/storage/log-rules.ts'
import {
  directoryContent,
  readTopicId,
  writeTopicId,
} from '../../../broker/storage/partition-directory.ts'
import { Permits } from '../../../broker/storage/permits.ts'
import { Users } from '../../../broker/storage/users.ts'
import { DiskError } from '../../../broker/world/disk.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { batchOf, settle } from '../../support/storage-fixture.ts'

t.test(
  'permits: at most n at once, first come first served, given back after a failure',
  async t => {
    const permits = new Permits(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const work = (n: number, fails = false) =>
      permits.run(async () => {
        begun.push(n)
        await new Promise<void>(resolve => ends.push(resolve))
        if (fails) throw new Error('failed')
      })
    const all = [work(0, true), work(1), work(2), work(3)].map(p => p.catch(() => 'failed'))
    await settle()
    t.strictSame(begun, [0, 1])
    ends[0]?.()
    await settle()
    t.strictSame(begun, [0, 1, 2])
    ends[1]?.()
    ends[2]?.()
    await settle()
    ends[3]?.()
    t.strictSame(await Promise.all(all), ['failed', undefined, undefined, undefined])
  },
)

t.test('users: none resolves only when nobody is at work, also after failures', async t => {
  const users = new Users()
  let end = () => {}
  const work = users.during(() => new Promise<void>(resolve => (end = resolve)))
  const failing = users.during(async () => {
    throw new Error('failed')
  })
  await t.rejects(failing, /failed/)
  let isFree = false
  const free = users.none().then(() => {
    isFree = true
  })
  await settle()
  t.notOk(isFree)
  t.equal(users.count, 1)
  end()
  await Promise.all([work, free])
  t.equal(users.count, 0)
})

t.test('a failed fsync is final, whatever the disk calls it', async t => {
  for (const kind of ['noSpace', 'denied', 'missing', 'io'] as const) {
    const cause = new DiskError(kind, '/x', 'it failed')
    const thrown = await finalSync(Promise.reject(cause)).catch((error: unknown) => error)
    t.ok(thrown instanceof SyncFailure)
    t.match(thrown, { kind: 'io', path: '/x', cause })
  }
  await finalSync(Promise.resolve())
})

t.test('file names: one spelling for each file, all else is nobody’s', async t => {
  t.strictSame(parseSegmentFileName('00000000000000004096.timeindex'), {
    baseOffset: 4096,
    suffix: 'timeindex',
  })
  for (const name of [
    '4096.log',
    '00000000000000004096.logs',
    '99999999999999999999.log',
    'x.log',
  ]) {
    t.equal(parseSegmentFileName(name), null, name)
  }
  t.strictSame(parsePartitionDirectory('a-b-12'), { topic: 'a-b', partition: 12 })
  for (const name of ['a', '-1', 'a-', 'a-01', 'a-1.del', 'a-1.id.del', 'a-12345678901']) {
    t.equal(parsePartitionDirectory(name), null, name)
  }
})

t.test('a partition directory says whose it is and whether it holds records', async t => {
  const disk = new MemoryDisk()
  await writeTopicId(disk, '/', '/orders-0', 'abc')
  t.equal(await readTopicId(disk, '/orders-0'), 'abc')
  await disk.makeDirectory('/old-0')
  t.equal(await readTopicId(disk, '/old-0'), null)
  const file = await disk.open('/orders-0/00000000000000000000.log', 'create')
  t.equal(await directoryContent(disk, '/orders-0'), 'nothing')
  await file.write([new Uint8Array(100)], 0)
  t.equal(await directoryContent(disk, '/orders-0'), 'foreign')
  await file.write([batchOf({ values: ['a'] })], 0)
  t.equal(await directoryContent(disk, '/orders-0'), 'records')
  await file.write([new Uint8Array([0xff])], 64)
  t.equal(await directoryContent(disk, '/orders-0'), 'foreign', 'its checksum is wrong')
})

t.test('a batch that would run out of exact offsets is refused, not a broken broker', async t => {
  const identity = { topic: 'orders', topicId: 'a', partition: 0 }
  requireOffset(2 ** 53 - 1, identity)
  t.throws(() => requireOffset(2 ** 53, identity), { code: 'INVALID_RECORD', topic: 'orders' })
})
