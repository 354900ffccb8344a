/**
 * Disk contract: what every Disk has to do, written once and run on the memory disk, the real disk
 * and the simulated one.
 *
 * Always true: a test gets an empty directory of its own and leaves no file open.
 * Called by memory-disk.test.ts, node-disk.test.ts and test/simulation/sim-disk.test.ts.
 */
import type { Test } from 'tap'
import type { Disk, DiskErrorKind } from '../../../broker/world/disk.ts'
import { DiskError } from '../../../broker/world/disk.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  /** An existing empty directory. */
  readonly directory: string
  /** Runs a test to its end; the simulator moves its time meanwhile. */
  drive(body: () => Promise<void>): Promise<void>
}

type Body = (t: Test, disk: Disk, directory: string) => Promise<void>

export async function testDiskContract(
  t: Test,
  make: (t: Test) => DiskUnderTest | Promise<DiskUnderTest>,
): Promise<void> {
  for (const [sentence, body] of Object.entries(contract)) {
    await t.test(sentence, async t => {
      const { disk, directory, drive } = await make(t)
      await drive(() => body(t, disk, directory))
    })
  }
}

const contract: Record<string, Body> = {
  'what is written is read back, in parts and across their borders': async (t, disk, directory) => {
    const file = await disk.open(`${directory}/a`, 'create')
    t.equal(await file.write([text('hello '), text(''), text('world')], 0), 11)
    t.equal(asText(await file.read(0, 11)), 'hello world')
    t.equal(asText(await file.read(4, 4)), 'o wo')
    t.equal(await file.write([text('W')], 6), 1)
    t.equal(asText(await file.read(0, 100)), 'hello World')
    await file.sync()
    await file.close()
    await file.close()
  },

  'a read past the end is short, and its bytes are fresh memory': async (t, disk, directory) => {
    const file = await disk.open(`${directory}/a`, 'create')
    await file.write([text('abc')], 0)
    t.equal((await file.read(3, 10)).length, 0)
    t.equal((await file.read(50, 10)).length, 0)
    t.equal((await file.read(0, 0)).length, 0)
    const first = await file.read(0, 3)
    first.fill(0)
    t.equal(asText(await file.read(0, 3)), 'abc')
    t.equal(Object.getPrototypeOf(first), Uint8Array.prototype, 'slice() of it must be a copy')
    await file.close()
  },

  'a gap reads as zeros, also after a cut and a regrowth': async (t, disk, directory) => {
    const file = await disk.open(`${directory}/a`, 'create')
    await file.write([text('x')], 9)
    t.same([...(await file.read(0, 10))], [0, 0, 0, 0, 0, 0, 0, 0, 0, 120])
    await file.write([new Uint8Array(8).fill(7)], 0)
    await file.truncate(2)
    t.equal(await file.size(), 2)
    await file.truncate(5)
    t.same([...(await file.read(0, 10))], [7, 7, 0, 0, 0])
    await file.truncate(0)
    t.equal(await file.size(), 0)
    await file.close()
  },

  'a large file keeps every byte where it was written': async (t, disk, directory) => {
    const file = await disk.open(`${directory}/a`, 'create')
    const bytes = Uint8Array.from({ length: 700_001 }, (_, at) => (at * 31) & 255)
    const parts = [bytes.subarray(0, 5), bytes.subarray(5, 300_000), bytes.subarray(300_000)]
    t.equal(await file.write(parts, 0), bytes.length)
    t.ok(Buffer.compare(await file.read(0, bytes.length + 1), bytes) === 0)
    const middle = await file.read(262_140, 8)
    t.ok(Buffer.compare(middle, bytes.subarray(262_140, 262_148)) === 0)
    t.equal((await disk.stat(`${directory}/a`))?.size, bytes.length)
    await file.close()
  },

  'more parts than the kernel takes at once are all written': async (t, disk, directory) => {
    const file = await disk.open(`${directory}/a`, 'create')
    const parts = Array.from({ length: 3000 }, (_, at) => Uint8Array.of(at & 255, at >> 8))
    t.equal(await file.write(parts, 0), 6000)
    t.ok(Buffer.compare(await file.read(0, 6000), Buffer.concat(parts)) === 0)
    await file.close()
  },

  'open says what is wrong': async (t, disk, directory) => {
    await fails(t, 'missing', disk.open(`${directory}/a`, 'read'))
    await fails(t, 'missing', disk.open(`${directory}/a`, 'update'))
    await fails(t, 'missing', disk.open(`${directory}/no/a`, 'create'))
    const file = await disk.open(`${directory}/a`, 'create')
    await fails(t, 'exists', disk.open(`${directory}/a`, 'create'))
    await file.close()
    const reader = await disk.open(`${directory}/a`, 'read')
    await fails(t, 'io', reader.write([text('x')], 0))
    await fails(
      t,
      'io',
      reader.truncate(0).then(() => reader.write([text('x')], 0)),
    )
    await reader.close()
    await fails(t, 'io', reader.read(0, 1))
  },

  'names are listed sorted, files and directories alike': async (t, disk, directory) => {
    for (const name of ['b', 'a', 'c10', 'c9']) {
      await (await disk.open(`${directory}/${name}`, 'create')).close()
    }
    await disk.makeDirectory(`${directory}/ab/deep`)
    await disk.makeDirectory(`${directory}/ab/deep`)
    t.same(await disk.list(directory), ['a', 'ab', 'b', 'c10', 'c9'])
    t.same(await disk.list(`${directory}/ab`), ['deep'])
    await fails(t, 'missing', disk.list(`${directory}/none`))
    await fails(t, 'exists', disk.makeDirectory(`${directory}/a`))
  },

  'stat tells files, directories and nothing apart': async (t, disk, directory) => {
    const file = await disk.open(`${directory}/a`, 'create')
    await file.write([text('12345')], 0)
    await file.close()
    t.same(await disk.stat(`${directory}/a`), { size: 5, isDirectory: false })
    t.same(await disk.stat(directory), { size: 0, isDirectory: true })
    t.equal(await disk.stat(`${directory}/none`), null)
    t.equal(await disk.stat(`${directory}/a/below-a-file`), null)
    t.equal(await disk.stat(`${directory}/none/none`), null)
  },

  'a rename replaces a file, and an open file goes on under its new name': async (t, disk, at) => {
    const first = await disk.open(`${at}/a`, 'create')
    await first.write([text('first')], 0)
    const second = await disk.open(`${at}/b`, 'create')
    await second.write([text('second')], 0)
    await disk.rename(`${at}/a`, `${at}/b`)
    t.same(await disk.list(at), ['b'])
    await first.write([text('!')], 5)
    t.equal((await disk.stat(`${at}/b`))?.size, 6)
    t.equal(asText(await second.read(0, 9)), 'second', 'the replaced file lives while it is open')
    await fails(t, 'missing', disk.rename(`${at}/a`, `${at}/c`))
    await disk.rename(`${at}/b`, `${at}/b`)
    t.same(await disk.list(at), ['b'])
    await first.close()
    await second.close()
  },

  'a directory is renamed with all that is in it': async (t, disk, at) => {
    await disk.makeDirectory(`${at}/topic-0/sub`)
    const file = await disk.open(`${at}/topic-0/log`, 'create')
    await file.write([text('x')], 0)
    await disk.rename(`${at}/topic-0`, `${at}/topic-0.del`)
    t.same(await disk.list(at), ['topic-0.del'])
    t.same(await disk.list(`${at}/topic-0.del`), ['log', 'sub'])
    await file.write([text('y')], 1)
    t.equal((await disk.stat(`${at}/topic-0.del/log`))?.size, 2)
    await disk.makeDirectory(`${at}/full/of`)
    await fails(t, 'exists', disk.rename(`${at}/topic-0.del`, `${at}/full`))
    await fails(t, 'io', disk.rename(`${at}/full`, `${at}/full/of/itself`))
    await file.close()
  },

  'removing is fine when nothing is there, and takes all that is': async (t, disk, at) => {
    await disk.removeFile(`${at}/none`)
    await disk.removeDirectory(`${at}/none`)
    await disk.makeDirectory(`${at}/d/e`)
    const file = await disk.open(`${at}/d/e/f`, 'create')
    await file.write([text('kept')], 0)
    await disk.removeFile(`${at}/d/e/f`)
    t.equal(asText(await file.read(0, 4)), 'kept', 'a removed file lives while it is open')
    await file.close()
    await (await disk.open(`${at}/d/e/g`, 'create')).close()
    await disk.removeDirectory(`${at}/d`)
    t.same(await disk.list(at), [])
  },

  'a directory is synced; a missing one is named': async (t, disk, at) => {
    await disk.syncDirectory(at)
    await fails(t, 'missing', disk.syncDirectory(`${at}/none`))
  },

  'free bytes are a positive number': async (t, disk, at) => {
    t.ok((await disk.freeBytes(at)) > 0)
    await fails(t, 'missing', disk.freeBytes(`${at}/none`))
  },

  'a lock is held once, until it is released': async (t, disk, at) => {
    const lock = await disk.lock(`${at}/.lock`)
    t.ok(lock)
    t.equal(await disk.lock(`${at}/.lock`), null)
    t.equal(await disk.lock(`${at}/.lock`), null)
    await lock?.release()
    await lock?.release()
    const again = await disk.lock(`${at}/.lock`)
    t.ok(again)
    t.ok(await disk.stat(`${at}/.lock`))
    await again?.release()
    await fails(t, 'missing', disk.lock(`${at}/none/.lock`))
  },
}

/** Checks that a call rejects with a DiskError of this kind that names its path. */
export async function fails(t: Test, kind: DiskErrorKind, call: Promise<unknown>): Promise<void> {
  try {
    await call
    t.fail(`expected a failure of kind ${kind}`)
  } catch (error) {
    t.ok(error instanceof DiskError, `a DiskError: ${String(error)}`)
    if (error instanceof DiskError) {
      t.equal(error.kind, kind)
      t.ok(error.message.includes(error.path), 'the message names the path')
    }
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
