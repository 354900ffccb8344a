/**
 * The real disk: the contract, error kinds, short writes, and the lock where flock(1) is missing.
 */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { DiskError } from '../../../broker/world/disk.ts'
import { NodeDisk } from '../../../broker/world/node-disk.ts'
import { writeFully } from '../../../broker/world/write-fully.ts'
import { fails, testDiskContract } from './disk.contract.ts'

t.test('the real disk keeps the contract of disks', async t => {
  await testDiskContract(t, t => ({
    disk: new NodeDisk(),
    directory: t.testdir(),
    drive: body => body(),
  }))
})

t.test('without flock(1) the lock still holds once', async t => {
  const disk = new NodeDisk({ flockProgram: 'no-such-program-anywhere' })
  const path = `${t.testdir()}/.lock`
  const lock = await disk.lock(path)
  t.ok(lock)
  t.equal(await disk.lock(path), null)
  await lock?.release()
  const again = await disk.lock(path)
  t.ok(again)
  await again?.release()
})

t.test(
  'without flock(1) the claims of the dead, of another boot and garbage hold nothing',
  async t => {
    const disk = new NodeDisk({ flockProgram: 'no-such-program-anywhere' })
    const path = `${t.testdir()}/.lock`
    writeFileSync(path, `garbage\n999999 1 no-boot x\n${process.pid} 1 another-boot y\n`)
    const lock = await disk.lock(path)
    t.ok(lock)
    await lock?.release()
  },
)

t.test('a full device is noSpace', async t => {
  const file = await new NodeDisk().open('/dev/full', 'update')
  t.teardown(() => file.close())
  await fails(t, 'noSpace', file.write([new Uint8Array(5)], 0))
})

t.test('no permission is denied', async t => {
  // For root too: a file of the kernel that has nothing to write to (Linux), the system's volume
  // (macOS).
  const path = process.platform === 'linux' ? '/sys/kernel/notes' : '/System/sluice'
  const mode = process.platform === 'linux' ? 'update' : 'create'
  await fails(t, 'denied', new NodeDisk().open(path, mode))
})

t.test('a short count is carried on until everything is written', async t => {
  const parts = [Uint8Array.of(1, 2, 3), Uint8Array.of(), Uint8Array.of(4, 5)]
  const stored: number[] = []
  const written = await writeFully('/x', parts, async (rest, at) => {
    t.equal(at, stored.length)
    const bytes = rest.flatMap(part => [...part]).slice(0, 2)
    stored.push(...bytes)
    return bytes.length
  })
  t.equal(written, 5)
  t.same(stored, [1, 2, 3, 4, 5])
})

t.test('a disk that fills up half way gives a short count; any other failure rejects', async t => {
  const fill = (kind: 'noSpace' | 'io') => {
    let calls = 0
    return writeFully('/x', [new Uint8Array(10)], async () => {
      if (calls++ === 0) return 4
      throw new DiskError(kind, '/x', `/x: ${kind}`)
    })
  }
  t.equal(await fill('noSpace'), 4)
  await fails(t, 'io', fill('io'))
  const stuck = writeFully('/x', [new Uint8Array(10)], async () => 0)
  await t.rejects(stuck, /no progress/)
  t.equal(await writeFully('/x', [], async () => 0), 0)
})
