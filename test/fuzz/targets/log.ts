/**
 * Log: a whole partition directory with one file damaged. It opens or is refused; what it gives are
 * the records that were acked and no others; what is appended to it is there after the next start;
 * the process never ends and nothing hangs.
 */
import { DiskError } from '../../../broker/world/disk.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { batchOf, commit } from '../../support/storage-fixture.ts'
import { damaged, documentOf } from '../json-text.ts'
import {
  diskOf,
  type LogImage,
  makeImage,
  openImage,
  readLog,
  type StoredFile,
  settled,
} from '../log-images.ts'
import { hostileNames, repairedBatch } from '../messages.ts'
import { mutated, replaced } from '../mutate.ts'
import type { FuzzRandom } from '../random.ts'
import { checkedFile } from '../stored-files.ts'
import { asyncVerdictOf, Broken, defaults, require, type Target } from '../target.ts'

/** Damage that no checksum tells: records may then be any. */
const repairedMode = 1
const appended = 'appended after damage'

/** Bytes: which image, which file, mode, then the new content; 255 as mode: the file is gone. */
function make(images: readonly LogImage[], random: FuzzRandom): Uint8Array {
  const image = random.below(images.length)
  const { files } = images[image] as LogImage
  const at = random.below(files.length)
  const file = files[at] as StoredFile
  const isRepaired = random.oneIn(2)
  const content = isRepaired ? repaired(file, random) : mutated(file.bytes, random)
  const input = new Uint8Array(3 + content.length)
  input[0] = image
  input[1] = at
  input[2] = random.oneIn(40) ? 255 : isRepaired ? repairedMode : 0
  input.set(content, 3)
  return input
}

/** Damage whose checksum is right. */
function repaired({ path, bytes }: StoredFile, random: FuzzRandom): Uint8Array {
  if (path.endsWith('.log')) return withRepairedBatch(bytes, random)
  const text = new TextDecoder().decode(bytes)
  const [head = '', body = ''] = text.split('\n')
  const kind = /^sluice (\S+) \d+ crc32c/.exec(head)?.[1]
  if (kind === undefined) return mutated(bytes, random)
  return checkedFile(kind, damaged(documentOf(JSON.parse(body)), random, hostileNames))
}

function withRepairedBatch(log: Uint8Array, random: FuzzRandom): Uint8Array {
  const batches: number[] = []
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  for (let at = 0; at + 61 <= log.length; at += 12 + view.getInt32(at + 8)) batches.push(at)
  if (batches.length === 0) return mutated(log, random)
  const at = random.pick(batches)
  const size = 12 + view.getInt32(at + 8)
  const batch = repairedBatch(mutated(log.subarray(at, at + size), random).slice(), 'both')
  return replaced(log, at, size, batch)
}

function damagedFiles({ files }: LogImage, input: Uint8Array): StoredFile[] {
  const at = (input[1] ?? 0) % files.length
  if (input[2] === 255) return files.filter((_, n) => n !== at)
  return files.map((file, n) => (n === at ? { ...file, bytes: input.subarray(3) } : file))
}

/** What damage may lead to; anything else is a finding. */
async function verdict<T>(work: () => Promise<T>): Promise<T | SluiceError> {
  return asyncVerdictOf(async () => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DiskError) || error.kind === 'noSpace') throw error
      throw new SluiceError('KAFKA_STORAGE_ERROR', error.message, { cause: error })
    }
  })
}

async function run(images: readonly LogImage[], input: Uint8Array): Promise<string> {
  const image = images[(input[0] ?? 0) % images.length] as LogImage
  const disk = await diskOf(damagedFiles(image, input))
  const first = await verdict(() => openImage(disk))
  if (SluiceError.is(first)) return `not opened: ${first.code}`
  const { log, logs, fixture } = first
  const records = await verdict(() => settled(fixture, readLog(log)))
  const isTold = !SluiceError.is(records)
  if (isTold && input[2] !== repairedMode) requireAcked(records, image)
  const batch = batchOf({ values: [appended] })
  const offset = await verdict(async () => settled(fixture, commit(log, batch)))
  await verdict(() => settled(fixture, log.offsetForTimestamp(1001)))
  await verdict(() => settled(fixture, log.maxTimestampOffset()))
  await settled(fixture, logs.closeCleanly())
  require(fixture.deaths.length === 0, () => `the process ends: ${fixture.deaths[0]}`)
  if (SluiceError.is(offset)) return `read only: ${offset.code}`
  const again = await openImage(disk)
  const back = await verdict(() => settled(again.fixture, readLog(again.log)))
  const isThere = !SluiceError.is(back) && back.get(offset) === `=${appended}`
  require(isThere || SluiceError.is(records), () => `what was appended at ${offset} is gone`)
  await settled(again.fixture, again.logs.closeCleanly())
  return isTold ? `goes on with ${records.size === image.acked.size ? 'all' : 'some'}` : 'goes on'
}

function requireAcked(records: ReadonlyMap<number, string>, { acked }: LogImage): void {
  for (const [offset, text] of records) {
    if (acked.get(offset) !== text) throw new Broken(`another record at ${offset}`)
  }
}

export const log: Target = {
  ...defaults,
  name: 'log',
  reaches: ['goes on with all', 'goes on with some', 'read only: KAFKA_STORAGE_ERROR'],
  weight: 2000,
  maxMs: 250,
  maxAllocatedBytes: 2 ** 25,
  executionsPerState: 500,
  async open(seed) {
    const images = [await makeImage(seed, true), await makeImage(seed + 1, false)]
    return { make: random => make(images, random), run: input => run(images, input) }
  },
}
