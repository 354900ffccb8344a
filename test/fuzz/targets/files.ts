/**
 * Files: the readers of everything small that a broker stores: both indexes, epochs, metadata,
 * checkpoint, marker, segment list, producers, transactions, catalogue, format. What they take is
 * in order and of the right kind; all else is missing, damaged, or a SluiceError.
 */

import { CatalogueStore } from '../../../broker/metadata/catalogue-store.ts'
import { openDataDirectory } from '../../../broker/metadata/data-directory.ts'
import { CheckpointStore } from '../../../broker/storage/checkpoint-store.ts'
import { EpochCache } from '../../../broker/storage/epoch-cache.ts'
import {
  kindAt,
  segmentFileName,
  segmentListName,
  transactionsName,
} from '../../../broker/storage/file-names.ts'
import { OffsetIndex } from '../../../broker/storage/offset-index.ts'
import { readTopicId } from '../../../broker/storage/partition-directory.ts'
import { loadProducerSnapshot } from '../../../broker/storage/producer-snapshot.ts'
import { ProducerState } from '../../../broker/storage/producer-state.ts'
import { readSegmentFacts } from '../../../broker/storage/segment-list.ts'
import { TimeIndex } from '../../../broker/storage/time-index.ts'
import { readTransactions } from '../../../broker/storage/transactions.ts'
import type { BrokerWorld } from '../../../broker/world/world.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { compression } from '../batches.ts'
import { seededRandom } from '../fuzz-broker.ts'
import { damaged } from '../json-text.ts'
import { hostileNames } from '../messages.ts'
import { mutated } from '../mutate.ts'
import { OneFileDisk } from '../one-file-disk.ts'
import type { FuzzRandom } from '../random.ts'
import { checkedFile, checkedSamples, epochTexts, metadataTexts } from '../stored-files.ts'
import { asyncVerdictOf, defaults, require, sameBytes, type Target } from '../target.ts'

const base = 1000
const isSafe = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

class FilesState {
  readonly #disk = new OneFileDisk()
  readonly #deaths: string[] = []
  readonly #world: BrokerWorld = {
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    timers: { after: () => ({ cancel: () => {} }), endOfTurn: () => {} },
    random: seededRandom(1),
    network: { dial: () => Promise.reject(), listen: () => Promise.reject() },
    compression,
    disk: this.#disk,
    process: { die: reason => void this.#deaths.push(reason) },
  }

  /** First byte: which reader; the rest is the file. */
  async run(input: Uint8Array): Promise<string> {
    const content = input.subarray(1)
    this.#disk.content = content
    const [name, read] = readers[(input[0] ?? 0) % readers.length] ?? ['none', readNothing]
    const outcome = await asyncVerdictOf(async () => read(content, this.#disk, this.#world))
    require(this.#deaths.length === 0, () => `the broker ends: ${this.#deaths[0]}`)
    return `${name}: ${SluiceError.is(outcome) ? outcome.code : outcome}`
  }
}

type Read = (content: Uint8Array, disk: OneFileDisk, world: BrokerWorld) => string | Promise<string>

const readNothing: Read = () => 'nothing'

const offsetIndex: Read = content => {
  const logBytes = 100_000
  const end = { sizeBytes: logBytes, endOffset: base + 100_000 }
  const index = OffsetIndex.decode(base, content, end)
  if (index === null) return 'refused'
  let before = -1
  for (let offset = base; offset < base + 3000; offset += 100) {
    const position = index.floorPosition(offset)
    require(position >= before && position < logBytes, () => `position ${position}`)
    before = position
  }
  const encoded = index.encode()
  require(sameBytes(encoded, content.subarray(0, encoded.length)), () => 'other entries')
  // A segment goes on from where it ends, whatever its index says.
  index.append(end.endOffset, end.sizeBytes)
  return 'read'
}

const timeIndex: Read = content => {
  const end = base + 100_000
  const index = TimeIndex.decode(base, content, end)
  if (index === null) return 'refused'
  let before = base - 1
  for (let timestamp = 0; timestamp < 3000; timestamp += 100) {
    const offset = index.offsetBelow(timestamp)
    require(offset >= before && offset < end, () => `offset ${offset}`)
    before = offset
  }
  const encoded = index.encode()
  require(sameBytes(encoded, content.subarray(0, encoded.length)), () => 'other entries')
  index.maybeAppend(2 ** 53 - 1, end)
  return 'read'
}

const epochs: Read = async (_, disk) => {
  const entries = (await EpochCache.read(disk, '/')).entries()
  entries.forEach(({ epoch, startOffset }, n) => {
    const last = entries[n - 1] ?? { epoch: -1, startOffset: -1 }
    require(isSafe(startOffset) && isSafe(epoch), () => `epoch ${epoch} at ${startOffset}`)
    require(epoch < 2 ** 31 - 1, () => `after epoch ${epoch} comes none`)
    require(epoch > last.epoch && startOffset > last.startOffset, () => 'out of order')
  })
  return entries.length > 0 ? 'read' : 'empty'
}

const metadata: Read = async (_, disk) => {
  const id = await readTopicId(disk, '/')
  require(id === null || /^\S+$/.test(id), () => `topic id "${id}"`)
  return id === null ? 'none' : 'read'
}

const format: Read = async (_, __, world) => {
  const directory = await openDataDirectory(world, '/data', 1)
  await directory.release()
  return 'opened'
}

const catalogue: Read = async (_, __, world) => {
  const store = await CatalogueStore.open(world, '/data', () => ({ clusterId: 'c', brokerId: 1 }))
  for (const { name, topicId, partitions } of store.current.topics.values()) {
    require(/^[a-zA-Z0-9._-]{1,249}$/.test(name), () => `the topic "${name}"`)
    require(typeof topicId === 'string' && topicId.length > 0, () => `the id "${topicId}"`)
    require(isSafe(partitions) && partitions <= 10_000, () => `${partitions} partitions`)
  }
  await store.commit({ type: 'forget', topicIds: ['nobody'] })
  return 'opened'
}

const checkpoint: Read = async (_, disk, { process, random }) => {
  const collect = async () => []
  const store = new CheckpointStore({ disk, process, random, directory: '/', collect })
  const { logs, damaged: reason } = await store.load()
  for (const { topicId, partition, logStartOffset, recovery } of logs) {
    require(typeof topicId === 'string' && isSafe(partition), () => 'no place of a log')
    require(isSafe(logStartOffset) && isSafe(recovery.offset), () => 'no offset')
    require(isSafe(recovery.segmentBase) && isSafe(recovery.position), () => 'no position')
  }
  return reason === null ? 'read' : 'damaged'
}

const segments: Read = async (_, disk) => {
  const facts = await readSegmentFacts(disk, '/')
  for (const [offset, { endOffset, sizeBytes }] of facts) {
    require(isSafe(offset) && isSafe(endOffset) && isSafe(sizeBytes), () => 'facts that are none')
  }
  return facts.size > 0 ? 'read' : 'empty'
}

const producers: Read = async (_, disk) => {
  const state = new ProducerState({ maxProducers: 100, minIdleMs: 0 })
  if (!(await loadProducerSnapshot(disk, '/', 0, state))) return 'refused'
  for (const [producerId, marks] of state.snapshot()) {
    require(isSafe(producerId), () => `producer ${producerId}`)
    const batch = { producerId, producerEpoch: 0, baseSequence: 5, recordCount: 1 }
    await asyncVerdictOf(async () => state.check(batch, 0))
    const isMark = marks.every(mark => Object.values(mark).every(Number.isSafeInteger))
    require(isMark, () => `marks ${JSON.stringify(marks)}`)
  }
  return 'read'
}

const transactions: Read = async (_, disk) => {
  const read = await readTransactions(disk, '/')
  if (typeof read === 'string') return read
  const end = read.stableEnd({ logStartOffset: 3, highWatermark: 100 })
  require(end >= 3 && end <= 100, () => `the stable end ${end}`)
  for (const range of [...read.aborted, ...read.open]) {
    const { producerId, firstOffset, lastOffset } = range
    const isRange = Number.isSafeInteger(producerId) && isSafe(firstOffset) && isSafe(lastOffset)
    require(isRange, () => JSON.stringify(range))
  }
  return 'read'
}

const readers: readonly (readonly [name: string, read: Read])[] = [
  ['offset index', offsetIndex],
  ['time index', timeIndex],
  ['epochs', epochs],
  ['metadata', metadata],
  ['format', format],
  ['catalogue', catalogue],
  ['logs', checkpoint],
  ['clean', checkpoint],
  ['segments', segments],
  ['producers', producers],
  ['transactions', transactions],
]

const textOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function indexBytes(random: FuzzRandom, isTime: boolean): Uint8Array {
  const entries = 1 + random.size(60)
  const bytes = new Uint8Array(entries * (isTime ? 12 : 8))
  const view = new DataView(bytes.buffer)
  for (let n = 0, at = 0, [a, b] = [0, 0]; n < entries; n++) {
    a += random.between(1, 90)
    b += random.between(1, 900)
    if (isTime) view.setBigInt64(at, BigInt(b))
    else view.setInt32(at, a)
    view.setInt32(at + (isTime ? 8 : 4), isTime ? a : b)
    at += isTime ? 12 : 8
  }
  return bytes
}

/** Kinds of files that name the place where they belong. */
const placed: Readonly<Record<string, string>> = {
  segments: kindAt('segments', '/', segmentListName),
  producers: kindAt('producers', '/', segmentFileName(0, 'producers')),
  transactions: kindAt('transactions', '/', transactionsName),
}

function fileOf(name: string, random: FuzzRandom): Uint8Array {
  if (name.endsWith('index')) return indexBytes(random, name.startsWith('time'))
  if (name === 'epochs') return textOf(damagedText(random.pick(epochTexts), random))
  if (name === 'metadata') return textOf(damagedText(random.pick(metadataTexts), random))
  const own = checkedSamples.filter(({ kind }) => kind === name)
  const { kind, document } = random.oneIn(12) ? random.pick(checkedSamples) : random.pick(own)
  const version = random.oneIn(12) ? Math.abs(random.safeInteger()) : 1
  return checkedFile(placed[kind] ?? kind, damaged(document, random, hostileNames), version)
}

/** A number in it replaced. */
function damagedText(text: string, random: FuzzRandom): string {
  const numbers = [...text.matchAll(/\d+/g)]
  if (random.oneIn(3) || numbers.length === 0) return text
  const { index, 0: number } = random.pick(numbers)
  const put = String(random.oneIn(2) ? random.edge() : random.below(5))
  return text.slice(0, index) + put + text.slice(index + number.length)
}

function make(random: FuzzRandom): Uint8Array {
  const at = random.below(readers.length)
  const file = fileOf(readers[at]?.[0] ?? '', random)
  const content = random.oneIn(3) ? mutated(file, random) : file
  const input = new Uint8Array(1 + content.length)
  input[0] = at
  input.set(content, 1)
  return input
}

export const files: Target = {
  ...defaults,
  name: 'files',
  reaches: [
    'offset index: read',
    'time index: read',
    'epochs: read',
    'metadata: read',
    'catalogue: opened',
    'logs: read',
    'segments: read',
    'producers: read',
    'transactions: read',
    'catalogue: DATA_DIR_UNUSABLE',
    'logs: damaged',
  ],
  weight: 60_000,
  maxAllocatedBytes: 2 ** 21,
  async open() {
    const state = new FilesState()
    return { make, run: input => state.run(input) }
  },
}
