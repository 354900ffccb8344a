/**
 * The memory disk: the contract, its two differences from a real disk, and its capacity.
 */
import t from 'tap'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { fails, testDiskContract } from './disk.contract.ts'

t.test('the memory disk keeps the contract of disks', async t => {
  await testDiskContract(t, async () => {
    const disk = new MemoryDisk()
    await disk.makeDirectory('/data')
    return { disk, directory: '/data', drive: body => body() }
  })
})

t.test('paths are the same however they are spelled', async t => {
  const disk = new MemoryDisk()
  await disk.makeDirectory('./data//sub/')
  await (await disk.open('data/sub/../sub/file', 'create')).close()
  t.same(await disk.list('/data/sub'), ['file'])
  t.same(await disk.list('/'), ['data'])
})

t.test('a full memory disk writes what fits, then says so, and has room again later', async t => {
  const disk = new MemoryDisk({ capacityBytes: 10 })
  const file = await disk.open('/a', 'create')
  t.equal(await file.write([new Uint8Array(4), new Uint8Array(20)], 0), 10)
  await fails(t, 'noSpace', file.write([new Uint8Array(1)], 10))
  t.equal(await file.write([new Uint8Array(10)], 0), 10, 'writing over old bytes needs no room')
  t.equal(await disk.freeBytes('/'), 0)
  await file.truncate(3)
  t.equal(await disk.freeBytes('/'), 7)
  await disk.removeFile('/a')
  t.equal(await disk.freeBytes('/'), 10)
})

t.test('locks can be freed the way the death of their process frees them', async t => {
  const disk = new MemoryDisk()
  t.ok(await disk.lock('/lock'))
  disk.releaseLocks()
  t.ok(await disk.lock('/lock'))
})
