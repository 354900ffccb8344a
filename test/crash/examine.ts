/**
 * Examine: runs the real recovery on what a crash has left, looks at everything it left in turn,
 * and says what was found.
 *
 *   image ─> start ─> look ─> files against a rebuild ─> process death ─> start: the same
 *                                                       ─> clean stop ─> start: the same
 *                                                       ─> append, death ─> start: it is there
 *
 * Always true: the answer depends on the image alone; an image that was examined before is not
 * examined again, and neither is what a recovery made of it. Throws with a sentence at the first
 * thing that is wrong.
 * Called by explore.ts.
 */
import assert from 'node:assert/strict'
import { readCheckedFile, temporarySuffix } from '../../broker/storage/checked-file.ts'
import { kindAt, segmentFileName } from '../../broker/storage/file-names.ts'
import type { Log } from '../../broker/storage/log.ts'
import type { Disk } from '../../broker/world/disk.ts'
import { checkFiles } from '../support/crash-check.ts'
import { batchOf, commit, FixtureWorld } from '../support/storage-fixture.ts'
import { FlatDisk, type FlatImage } from './flat-disk.ts'
import { readLabels, timestampOf, valueAt } from './labels.ts'
import { keyOf } from './losses.ts'
import { producerId, topic } from './machine.ts'
import type { Found, FoundTopic } from './promises.ts'
import { dataDir, type StorageNode, startNode } from './storage-node.ts'

/** Later than any workload reaches, and the same for every image. */
const examinedAtMs = 1_800_000_000_000

export interface Running<D extends Disk = Disk> {
  readonly disk: D
  readonly fixture: FixtureWorld
  readonly node: StorageNode
  readonly log: Log | undefined
}

export class Examiner {
  /** By image: what is found there. Equal findings are one object. */
  readonly #known = new Map<string, Found>()
  readonly #findings = new Map<string, FoundTopic>()
  /** By image that a recovery has left: what the next start finds. */
  readonly #recovered = new Map<string, Found>()
  recoveries = 0

  get keys(): IterableIterator<string> {
    return this.#known.keys()
  }

  get images(): number {
    return this.#known.size
  }

  /** undefined = not examined yet. */
  known(key: string): Found | undefined {
    return this.#known.get(key)
  }

  /** What a start finds on an image with this key. @throws Error where it is not as it must be */
  async examine(key: string, image: FlatImage): Promise<Found> {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const running = await this.start(new FlatDisk(image))
    const seen = await look(running)
    await checkTidy(running)
    const left = running.disk.image()
    const found = this.#one(await withProducer(running, seen))
    const again = await this.#startAgain(left)
    assert.deepEqual(withoutEpoch(again), withoutEpoch(found), 'a second recovery finds the same')
    assert.ok((again?.epoch ?? 0) >= (found?.epoch ?? 0), 'no epoch is given out again')
    this.#known.set(key, found)
    return found
  }

  async start<D extends Disk>(disk: D): Promise<Running<D>> {
    this.recoveries++
    const fixture = new FixtureWorld(disk)
    fixture.wallMs = examinedAtMs
    const node = await startNode(fixture)
    assert.deepEqual(fixture.deaths, [], 'a recovery does not end the process')
    const log = node.logs.all().find(one => one.identity.topic === topic)
    return { disk, fixture, node, log: log as Log | undefined }
  }

  #one(found: Found): Found {
    if (found === null) return null
    const name = JSON.stringify(found)
    const known = this.#findings.get(name) ?? found
    this.#findings.set(name, known)
    return known
  }

  /** A start on what a recovery has left, and all that can be done after it. */
  async #startAgain(image: FlatImage): Promise<Found> {
    const key = keyOf(image, isKept)
    const known = this.#recovered.get(key)
    if (known !== undefined) return known
    const second = await this.start(new FlatDisk(image))
    const seen = await look(second)
    await second.node.close()
    const found = this.#one(await withProducer(second, seen))
    const third = await this.start(new FlatDisk(second.disk.image()))
    assert.deepEqual(await look(third), seen, 'a start after a clean stop finds the same')
    const sequence = await goOn(third, found)
    const fourth = await this.start(new FlatDisk(third.disk.image()))
    const last = (await look(fourth))?.labels ?? ''
    assert.ok(last.endsWith(laterLabel), 'what was appended after the recovery is kept')
    checkRepeated(fourth, sequence)
    this.#recovered.set(key, found)
    return found
  }
}

/** As `Found`, but for the producer. */
async function look({ disk, node, log }: Running): Promise<Found> {
  if (log === undefined) {
    assert.throws(() => node.partitions.require(topic, undefined, 0), /there is no topic/)
    return null
  }
  const { state, reason } = log.describe()
  assert.equal(state, 'ok', `no crash is damage: ${reason}`)
  assert.equal(log.logEndOffset, log.highWatermark)
  const labels = await readAll(log)
  await checkTimes(log)
  await checkFiles(disk, log, log.directory)
  const { logStartOffset: start, highWatermark: end, leaderEpoch: epoch } = log
  return { start, end, labels: labels.join(' '), producer: '', epoch }
}

async function readAll(log: Log): Promise<string[]> {
  const labels: string[] = []
  for (let next = log.logStartOffset; next < log.highWatermark; ) {
    const { bodies } = await log.read(next, 300, { isolation: 'uncommitted' })
    const before = next
    for (const body of bodies) {
      const read = readLabels(body, next)
      labels.push(...read.labels)
      next += read.labels.length
    }
    assert.ok(next > before, `nothing was read at ${next}`)
  }
  assert.equal(labels.length, log.highWatermark - log.logStartOffset, 'there is no gap')
  return labels
}

/** Looks up the timestamp of the middle record and the highest there is. */
async function checkTimes(log: Log): Promise<void> {
  const { logStartOffset: start, highWatermark: end } = log
  const offsets = Array.from({ length: end - start }, (_, at) => start + at)
  const middle = offsets[offsets.length >> 1]
  if (middle === undefined) return
  const wanted = timestampOf(middle)
  const first = offsets.find(offset => timestampOf(offset) >= wanted)
  assert.equal((await log.offsetForTimestamp(wanted))?.offset, first, 'a look-up by time is exact')
  const highest = Math.max(...offsets.map(timestampOf))
  assert.equal((await log.maxTimestampOffset())?.timestamp, highest)
}

/** Nothing is left over of topics that went or never came to be. */
async function checkTidy({ disk }: Running): Promise<void> {
  // Files of deleted topics go in the background.
  await new Promise(resolve => setImmediate(resolve))
  const names = (await disk.list(dataDir)).filter(name => !name.endsWith('.tmp'))
  const expected = ['.lock', 'catalogue', 'format', 'log-checkpoint', `${topic}-0`]
  assert.deepEqual(
    names.filter(name => !expected.includes(name)),
    [],
    'no other file is left',
  )
}

/** Stops the node, which writes down what it knows of the producer. */
async function withProducer({ disk, fixture, node, log }: Running, seen: Found): Promise<Found> {
  if (seen === null || log === undefined) return null
  if (log.describe().producers === 0) return seen
  await node.close()
  assert.deepEqual(fixture.deaths, [])
  const name = segmentFileName(seen.end, 'producers')
  const kind = kindAt('producers', log.directory, name)
  const read = await readCheckedFile(disk, { directory: log.directory, name, kind })
  assert.equal(read.state, 'ok', 'a clean stop leaves a snapshot of the producers')
  const rows = read.state === 'ok' ? (read.value as [number, number[][]][]) : []
  assert.deepEqual(
    rows.map(([id]) => id),
    [producerId],
  )
  const producer = (rows[0]?.[1] ?? []).map(mark => mark.join(',')).join(' ')
  return { ...seen, producer }
}

/** What recovery cut off and what a rename never reached are kept, and read by nobody. */
const isKept = (path: string): boolean => path.endsWith('.cut') || path.endsWith(temporarySuffix)

const withoutEpoch = (found: Found): unknown => (found === null ? null : { ...found, epoch: 0 })

const laterLabel = '99.99'

/** More than a lost tail had, so that a snapshot which tells of one is passed. */
const laterBatches = 8

/**
 * What a producer and an administrator do next must work. Answers the sequence of the last batch of
 * the producer.
 */
async function goOn({ node, log }: Running, found: Found): Promise<number> {
  if (log === undefined || found === null) {
    await node.topics.create({ name: topic })
    const made = node.logs.all()[0] as Log | undefined
    assert.equal(made?.highWatermark, 0, 'a new topic is empty')
    if (made !== undefined) await commit(made, later(made))
    return -1
  }
  const marks = found.producer.split(' ').filter(mark => mark !== '')
  const [, , lastSequence = -1] = (marks.at(-1) ?? '0,-1,-1').split(',').map(Number)
  const gap = later(log, { id: producerId, sequence: lastSequence + 2 })
  assert.throws(() => log.appendAsLeader(gap), 'a gap in the sequence is refused')
  await commit(log, later(log, { id: producerId, sequence: lastSequence + 1 }))
  const repeated = later(log, { id: producerId, sequence: lastSequence + 1 })
  assert.ok(log.appendAsLeader(repeated).duplicate, 'a batch that is sent again is known')
  for (let n = 0; n < laterBatches; n++) await commit(log, later(log))
  return lastSequence + 1
}

/** The producer did not hear of its last batch and sends it once more. */
function checkRepeated({ log }: Running, sequence: number): void {
  if (log === undefined || sequence < 0) return
  const repeated = later(log, { id: producerId, sequence })
  assert.ok(log.appendAsLeader(repeated).duplicate, 'a batch that is sent again later is known')
}

function later(log: Log, producer?: { id: number; sequence: number }): Uint8Array {
  const offset = log.logEndOffset
  return batchOf({
    values: [valueAt(laterLabel, offset, 20)],
    timestamp: timestampOf(offset),
    ...(producer !== undefined && { producer }),
  })
}
