/**
 * Machine: one storage node under a workload, with a model beside it of what was appended, acked,
 * trimmed and deleted.
 *
 * Always true: the model is brought up to date before the disk sees the next call, so at each call
 * `promised` says what a crash right there must and may leave; the same operations give the same
 * calls with the same bytes.
 * Called by operations.ts and explore.ts.
 */
import assert from 'node:assert/strict'
import type { Log } from '../../broker/storage/log.ts'
import type { BrokerWorld } from '../../broker/world/world.ts'
import type { SluiceError } from '../../protocol/errors.ts'
import { CrashDisk } from '../support/crash-disk.ts'
import { mortalDisk } from '../support/mortal-disk.ts'
import { batchOf, FixtureWorld, settle } from '../support/storage-fixture.ts'
import { flatImageOf } from './flat-disk.ts'
import { timestampOf, valueAt } from './labels.ts'
import { keyOf } from './losses.ts'
import type { Produced, Promised, TopicPromise } from './promises.ts'
import { type StorageNode, startNode } from './storage-node.ts'

export const topic = 'orders'
export const producerId = 7

export interface BatchWish {
  readonly records?: number
  readonly valueBytes?: number
  readonly idempotent?: boolean
}

class TopicModel {
  readonly incarnation: number
  readonly labels: string[] = []
  produced: Produced[] = []
  acked = 0
  durable = 0
  startMin = 0
  startWanted = 0
  epoch = 0

  constructor(incarnation: number) {
    this.incarnation = incarnation
  }

  get nextSequence(): number {
    return (this.produced.at(-1)?.lastSequence ?? -1) + 1
  }

  promise(log: Log | undefined): TopicPromise {
    const { incarnation, labels, acked, startMin, startWanted, produced, epoch } = this
    const durable = Math.max(this.durable, Math.min(acked, log?.durableEndOffset ?? 0))
    const lists = { labels: [...labels], produced: [...produced] }
    return { incarnation, ...lists, acked, durable, startMin, startMax: startWanted, epoch }
  }
}

/** Ids follow from the content of the disk, so that equal histories leave equal disks. */
class MachineWorld extends FixtureWorld {
  readonly #disk: CrashDisk
  #lives = 0

  constructor(disk: CrashDisk) {
    super(disk)
    this.#disk = disk
  }

  override world(): BrokerWorld {
    const world = super.world()
    const bits = () => idFrom(keyOf(flatImageOf(this.#disk.platter.cachedImage())))
    const life = this.#lives
    const disk = mortalDisk(this.#disk, () => this.#lives === life)
    return { ...world, disk, random: { ...world.random, bits } }
  }

  /** The process of the worlds that were given out is dead. */
  kill(): void {
    this.#lives++
    this.timers.clear()
  }
}

const idFrom = (key: string): number =>
  Number.parseInt(Buffer.from(key, 'base64').toString('hex').slice(0, 12), 16)

export class Machine {
  readonly disk = new CrashDisk(new Map([['data', new Map()]]))
  readonly fixture = new MachineWorld(this.disk)
  /** False: no operation waits for what goes on behind the answers. */
  readonly settles: boolean
  readonly #flush: 'commit' | 'os'
  #node: StorageNode | undefined
  #log: Log | undefined
  #model: TopicModel | null = null
  #mayBeAbsent = true
  #kills = 0
  #incarnations = 0

  constructor(flush: 'commit' | 'os', settles: boolean) {
    this.#flush = flush
    this.settles = settles
  }

  /** Starts on the empty disk and makes the topic. */
  async begin(): Promise<void> {
    this.#node = await startNode(this.fixture)
    await this.createTopic()
  }

  get log(): Log {
    if (this.#log === undefined) throw new Error('there is no log')
    return this.#log
  }

  get #running(): StorageNode {
    if (this.#node === undefined) throw new Error('the node does not run')
    return this.#node
  }

  promised(): Promised {
    const topics = this.#model === null ? [] : [this.#model.promise(this.#log)]
    return { mayBeAbsent: this.#mayBeAbsent, topics }
  }

  async createTopic(): Promise<void> {
    this.#model = new TopicModel(this.#incarnations++)
    this.#log = undefined
    await this.#running.topics.create({ name: topic, configs: { flush: this.#flush } })
    this.#mayBeAbsent = false
    this.#findLog()
  }

  async deleteTopic(): Promise<void> {
    this.#mayBeAbsent = true
    await this.#running.topics.delete(topic)
    this.#model = null
    this.#log = undefined
  }

  #findLog(): void {
    const found = this.#running.logs.all().find(log => log.identity.topic === topic)
    this.#log = found as Log | undefined
  }

  get #topic(): TopicModel {
    if (this.#model === null) throw new Error('there is no topic')
    return this.#model
  }

  /** Appends without waiting; answers the bytes, with which a producer would try again. */
  append({ records = 1, valueBytes = 200, idempotent = false }: BatchWish = {}): Uint8Array {
    const { log } = this
    const model = this.#topic
    const first = log.logEndOffset
    const label = `${model.incarnation}.${this.#kills}`
    const offsets = Array.from({ length: records }, (_, at) => first + at)
    const baseSequence = model.nextSequence
    const batch = batchOf({
      values: offsets.map(offset => valueAt(label, offset, valueBytes)),
      timestamps: offsets.map(timestampOf),
      ...(idempotent && { producer: { id: producerId, sequence: baseSequence } }),
    })
    const copy = batch.slice()
    const { baseOffset, lastOffset } = log.appendAsLeader(batch)
    this.#expectEnd(model, baseOffset)
    model.labels.push(...offsets.map(() => label))
    if (idempotent) {
      const lastSequence = baseSequence + records - 1
      model.produced.push({ baseSequence, lastSequence, baseOffset, lastOffset })
    }
    this.#await(lastOffset)
    return copy
  }

  /** What was acked is not given up, and no offset is passed over; the rest may be taken back. */
  #expectEnd({ acked, labels }: TopicModel, end: number): void {
    assert.ok(end >= acked, `the log goes on at ${end}, acked was ${acked}`)
    assert.ok(end <= labels.length, `the log goes on at ${end}, appended were ${labels.length}`)
    labels.length = end
  }

  #await(lastOffset: number): void {
    const { log } = this
    const model = this.#topic
    const before = log.settings.flush
    log.whenCommitted(lastOffset, error => {
      if (error !== null) return this.#refused(model, lastOffset, error)
      model.acked = Math.max(model.acked, lastOffset + 1)
      model.epoch = log.leaderEpoch
      const isCommit = before === 'commit' && log.settings.flush === 'commit'
      if (isCommit) model.durable = Math.max(model.durable, lastOffset + 1)
    })
  }

  /** A full disk has taken the batch back: nothing of it may be left. */
  #refused(model: TopicModel, lastOffset: number, error: SluiceError): void {
    if (error.code !== 'DISK_FULL' && error.code !== 'CLOSED') throw error
    model.produced = model.produced.filter(batch => batch.lastOffset < lastOffset)
  }

  /** Sends bytes again that the broker has: it must say so. */
  repeat(batch: Uint8Array): void {
    const answer = this.log.appendAsLeader(batch)
    if (!answer.duplicate) throw new Error('a batch that was sent twice is in the log twice')
  }

  async trim(): Promise<void> {
    const { log } = this
    const model = this.#topic
    const before = Math.ceil((log.logStartOffset + log.highWatermark) / 2)
    model.startWanted = Math.max(model.startWanted, before)
    this.#expectStart(model, await log.trim(before), before)
  }

  /** Another trim or retention may have come between, but nothing that nobody asked for. */
  #expectStart(model: TopicModel, start: number, least: number): void {
    const { startWanted } = model
    const isRight = start >= least && start <= startWanted
    assert.ok(isRight, `the log starts at ${start}, asked for was ${least} to ${startWanted}`)
    model.startMin = Math.max(model.startMin, start)
  }

  async retain(): Promise<void> {
    const { log } = this
    const model = this.#topic
    // retention.bytes is 0: whatever is sealed goes, and nothing of the active segment does.
    const active = log.describe().segments.find(segment => segment.sealedAtMs === undefined)
    const before = active?.baseOffset ?? 0
    model.startWanted = Math.max(model.startWanted, before)
    await log.maintenance.enforceRetention(this.fixture.wallMs)
    this.#expectStart(model, log.logStartOffset, before)
  }

  async toggleFlush(): Promise<void> {
    const model = this.#topic
    const toCommit = this.log.settings.flush === 'os'
    await this.#running.topics.alterConfigs(topic, { flush: toCommit ? 'commit' : 'os' })
    if (toCommit) model.durable = model.acked
  }

  async restart(): Promise<void> {
    const model = this.#topic
    await this.#running.close()
    model.durable = model.acked
    await this.#reopen()
  }

  /** The process dies and is started again: the page cache is as it was. */
  async killAndRestart(): Promise<void> {
    this.fixture.kill()
    this.#kills++
    await this.#reopen()
  }

  async #reopen(): Promise<void> {
    const model = this.#topic
    this.#node = await startNode(this.fixture)
    this.#findLog()
    const { logEndOffset } = this.log
    this.#expectEnd(model, logEndOffset)
    model.produced = model.produced.filter(batch => batch.lastOffset < logEndOffset)
  }

  /** Lets `ms` go by in which nothing happens. */
  skip(ms: number): void {
    this.fixture.wallMs += ms
    this.fixture.monotonicMs += ms
  }

  /** One pass of the housekeeping. */
  async tick(): Promise<void> {
    await this.fixture.advance(1000)
  }

  async settle(): Promise<void> {
    await settle()
  }
}
