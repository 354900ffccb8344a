/**
 * A real disk that is really full: the short write, the error after it, and room again (a tmpfs of
 * 64 KiB).
 */
import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import t from 'tap'
import type { Disk, DiskFile } from '../../broker/world/disk.ts'
import { NodeDisk } from '../../broker/world/node-disk.ts'
import { fails } from '../broker/world/disk.contract.ts'

t.test(
  'a disk that fills up takes what fits, says noSpace, and takes more after a cut',
  async t => {
    const directory = t.testdir()
    const options = ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]
    if (spawnSync('mount', options).status !== 0) {
      t.pass('a tmpfs is mounted', { skip: 'needs root' })
      return
    }
    try {
      const disk = new NodeDisk()
      const file = await disk.open(`${directory}/a`, 'create')
      await fill(t, disk, file)
      await file.close()
    } finally {
      spawnSync('umount', ['--lazy', directory])
    }
  },
)

async function fill(t: Test, disk: Disk, file: DiskFile): Promise<void> {
  t.equal(await disk.freeBytes(file.path), 65_536)
  const parts = [new Uint8Array(30_000).fill(1), new Uint8Array(50_000).fill(2)]
  t.equal(await file.write(parts, 0), 65_536, 'short, and no error')
  await fails(t, 'noSpace', file.write([new Uint8Array(10)], 65_536))
  await file.sync()
  t.equal(await file.size(), 65_536)
  t.equal(await disk.freeBytes(file.path), 0)
  await file.truncate(30_000)
  await file.sync()
  t.ok((await disk.freeBytes(file.path)) > 0)
  t.equal(await file.write([new Uint8Array(10)], 30_000), 10)
}
