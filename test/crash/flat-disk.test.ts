/** The flat disk behaves as every other one, so that what is recovered on it counts. */
import t from 'tap'
import { testDiskContract } from '../broker/world/disk.contract.ts'
import { FlatDisk, flatImageOf, treeOf } from './flat-disk.ts'

t.test('the flat disk keeps the contract of disks', async t => {
  await testDiskContract(t, () => {
    const disk = new FlatDisk({ files: new Map(), directories: new Set(['/data']) })
    return { disk, directory: '/data', drive: body => body() }
  })
})

t.test('a flat image and its tree say the same', async t => {
  const image = {
    files: new Map([['/data/orders-0/epochs', new Uint8Array([7])]]),
    directories: new Set(['/data', '/data/orders-0', '/data/empty']),
  }
  t.strictSame(flatImageOf(treeOf(image)), image)
})
