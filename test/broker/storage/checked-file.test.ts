/** Checked files: old or new after any crash, never a damaged value. */
import t from 'tap'
import {
  readCheckedFile,
  replaceFile,
  writeCheckedFile,
} from '../../../broker/storage/checked-file.ts'
import { listOf, objectOf, text, whole } from '../../../broker/storage/stored-shape.ts'
import { crc32c } from '../../../protocol/bytes/crc32c.ts'
import { CrashDisk } from '../../support/crash-disk.ts'
import { plansFor } from '../../support/crash-plans.ts'

const at = { directory: '/', name: 'notes', kind: 'notes' }

t.test('after a crash at any call the file is the old value or the new one', async t => {
  const disk = new CrashDisk()
  await writeCheckedFile(disk, at, 1, { value: 'old' })
  const images = new Set<Parameters<CrashDisk['platter']['load']>[0]>()
  disk.before = () => {
    for (const plan of plansFor(disk.platter, 1)) {
      images.add(disk.platter.imageAfterPowerLoss(plan))
    }
    return undefined
  }
  await writeCheckedFile(disk, at, 1, { value: 'new' })
  const seen = new Set<string>()
  for (const image of images) {
    const read = await readCheckedFile(new CrashDisk(image), at)
    t.equal(read.state, 'ok')
    if (read.state === 'ok') seen.add((read.value as { value: string }).value)
  }
  t.ok(images.size > 10)
  t.strictSame([...seen], ['old', 'new'])
})

t.test('no flipped bit and no length is read as a value', async t => {
  const disk = new CrashDisk()
  await writeCheckedFile(disk, at, 7, ['a', 1])
  const file = await disk.open('/notes', 'update')
  const good = await file.read(0, 1000)
  t.match(await readCheckedFile(disk, at), { state: 'ok', version: 7, value: ['a', 1] })
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = good.slice()
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await file.write([bad], 0)
    const read = await readCheckedFile(disk, at)
    // The version stands outside the checksum: it only says how to read what is inside.
    if (read.state === 'ok' && read.version === 7) t.fail(`bit ${bit} was not noticed`)
  }
  for (let length = 0; length < good.length; length++) {
    await file.write([good], 0)
    await file.truncate(length)
    const { state } = await readCheckedFile(disk, at)
    if (state !== 'damaged') t.fail(`length ${length} is ${state}`)
  }
  t.match(await readCheckedFile(disk, { ...at, name: 'other' }), { state: 'missing' })
  await file.write([good], 0)
  t.match(await readCheckedFile(disk, { ...at, kind: 'other' }), { state: 'damaged' })
})

t.test('a checksum that is right does not make a value of what has another shape', async t => {
  const disk = new CrashDisk()
  const shape = { version: 1, fits: objectOf({ offset: whole, names: listOf(text) }) }
  const stateOf = async (value: unknown, version = 1) => {
    await writeCheckedFile(disk, at, version, value)
    return (await readCheckedFile(disk, { ...at, shape })).state
  }
  t.equal(await stateOf({ offset: 0, names: [], more: 1 }), 'ok')
  for (const value of [null, 7, [], {}, { offset: -1, names: [] }, { offset: 1, names: [1] }]) {
    t.equal(await stateOf(value), 'damaged', JSON.stringify(value))
  }
  t.equal(await stateOf(7, 2), 'ok', 'what a newer version holds is not known here')
  const body = new TextEncoder().encode('{"offset":')
  const head = `sluice notes 1 crc32c=${crc32c(body).toString(16).padStart(8, '0')}\n{"offset":\n`
  await replaceFile(disk, at, new TextEncoder().encode(head))
  t.match(await readCheckedFile(disk, at), { state: 'damaged' }, 'not JSON')
})

t.test('a value that nests too deep to be written again is damaged', async t => {
  const disk = new CrashDisk()
  const stateOf = async (levels: number) => {
    const body = new TextEncoder().encode(`{"field":${'['.repeat(levels)}${']'.repeat(levels)}}`)
    const head = `sluice notes 1 crc32c=${crc32c(body).toString(16).padStart(8, '0')}\n`
    await replaceFile(
      disk,
      at,
      Buffer.concat([new TextEncoder().encode(head), body, Buffer.from('\n')]),
    )
    return (await readCheckedFile(disk, at)).state
  }
  t.equal(await stateOf(63), 'ok')
  t.equal(await stateOf(64), 'damaged')
  t.equal(await stateOf(20_000), 'damaged')
})
