/**
 * Catalogue store: the catalogue made durable. One checked file, replaced as a whole; a change is
 * there when `commit` resolves, and commits run one after the other.
 *
 *   <dataDir>/catalogue    line 1 head with checksum, line 2 JSON
 *
 * Always true: `current` is what the file holds; a change that did not become durable was never
 * visible. Opened by data-directory.ts; asked by everything, changed by
 * replication/topic-lifecycle.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { maxPartitionsPerTopic } from '../../protocol/messages/topics.ts'
import { type CheckedFile, readCheckedFile, writeCheckedFile } from '../storage/checked-file.ts'
import {
  listOf,
  mapOf,
  objectOf,
  type StoredShape,
  text,
  time,
  whole,
} from '../storage/stored-shape.ts'
import { isNoSpace } from '../world/disk.ts'
import type { BrokerWorld } from '../world/world.ts'
import {
  type Catalogue,
  type CatalogueCommand,
  type CatalogueTopic,
  nextCatalogue,
  type Tombstone,
} from './catalogue.ts'
import { isTopicName } from './topic-name.ts'

const formatVersion = 1
const name: StoredShape = value => typeof value === 'string' && isTopicName(value)
/** It is a part of file names. */
const topicId: StoredShape = value => typeof value === 'string' && /^[\w-]{1,64}$/.test(value)
const partitions: StoredShape = value => whole(value) && Number(value) <= maxPartitionsPerTopic
const fits = objectOf({
  clusterId: text,
  brokerId: whole,
  revision: whole,
  topics: listOf(objectOf({ name, topicId, partitions, configs: mapOf(text), createdAtMs: time })),
  tombstones: listOf(objectOf({ name, topicId, deletedAtMs: time })),
})
const file = (directory: string): CheckedFile => ({
  directory,
  name: 'catalogue',
  kind: 'catalogue',
  shape: { version: formatVersion, fits },
})

interface Stored {
  readonly clusterId: string
  readonly brokerId: number
  readonly revision: number
  readonly topics: readonly CatalogueTopic[]
  readonly tombstones: readonly Tombstone[]
}

export class CatalogueStore {
  readonly #world: BrokerWorld
  readonly #directory: string
  #current: Catalogue
  #last: Promise<unknown> = Promise.resolve()

  private constructor(world: BrokerWorld, directory: string, current: Catalogue) {
    this.#world = world
    this.#directory = directory
    this.#current = current
  }

  /**
   * Reads the catalogue of `directory`, or makes `fresh` the first one.
   * @throws SluiceError NEWER_FORMAT, DATA_DIR_UNUSABLE (damaged); DiskError
   */
  static async open(
    world: BrokerWorld,
    directory: string,
    fresh: () => Pick<Catalogue, 'clusterId' | 'brokerId'>,
  ): Promise<CatalogueStore> {
    const read = await readCheckedFile(world.disk, file(directory))
    if (read.state === 'damaged') {
      throw new SluiceError('DATA_DIR_UNUSABLE', `${directory}: ${read.reason}`, {
        hint: 'restore it, or move it away: topics with records are found again, without settings',
      })
    }
    if (read.state === 'ok') {
      if (read.version > formatVersion) throw newerFormat(directory, read.version)
      return new CatalogueStore(world, directory, fromStored(read.value as Stored))
    }
    const first = { ...fresh(), revision: 0, topics: new Map(), tombstones: [] }
    await writeCheckedFile(world.disk, file(directory), formatVersion, toStored(first))
    return new CatalogueStore(world, directory, first)
  }

  get current(): Catalogue {
    return this.#current
  }

  /** What the command would be answered now. @throws SluiceError as nextCatalogue returns it */
  check(command: CatalogueCommand): Catalogue {
    const next = nextCatalogue(this.#current, command)
    if (SluiceError.is(next)) throw next
    return next
  }

  /**
   * Applies `command` to the newest catalogue; durable when it resolves.
   * @throws SluiceError as nextCatalogue returns it; DISK_FULL (nothing changed)
   */
  commit(command: CatalogueCommand): Promise<Catalogue> {
    const done = this.#last.then(() => this.#apply(command))
    this.#last = done.catch(() => {})
    return done
  }

  async #apply(command: CatalogueCommand): Promise<Catalogue> {
    const next = this.check(command)
    try {
      await writeCheckedFile(this.#world.disk, file(this.#directory), formatVersion, toStored(next))
    } catch (error) {
      if (isNoSpace(error)) {
        throw new SluiceError('DISK_FULL', `no room for the catalogue in ${this.#directory}`)
      }
      // whether the old or the new catalogue is on disk is not known, so nobody may go on from
      // either
      this.#world.process.die(`the catalogue in ${this.#directory} could not be written`, error)
      throw error
    }
    this.#current = next
    return next
  }
}

export function newerFormat(directory: string, version: number): SluiceError {
  return new SluiceError(
    'NEWER_FORMAT',
    `${directory} was written in format ${version}, this Sluice knows up to ${formatVersion}`,
    { hint: 'start the newer version of Sluice that wrote it' },
  )
}

const toStored = (catalogue: Catalogue): Stored => ({
  ...catalogue,
  topics: [...catalogue.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
})

const fromStored = (stored: Stored): Catalogue => ({
  ...stored,
  topics: new Map(stored.topics.map(topic => [topic.name, topic])),
})
