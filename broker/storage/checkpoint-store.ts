/**
 * Checkpoint store: one small file for all logs of a data directory, written about once a second,
 * and the marker of a clean shutdown.
 *
 *   log-checkpoint    {id, logs: [{topicId, partition, logStartOffset, recovery, …}]}
 *   clean-shutdown    {checkpoint: id}       written last, removed before the first write of the next run
 *
 * Always true: one write at a time; `writeNow` covers every change made before it was called; a
 * marker counts only together with the very checkpoint that it names, so a marker that a power loss
 * brings back says nothing; what `load` answers is on disk by its name.
 * Called by log-manager.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { Random } from '../../protocol/world.ts'
import { type Disk, isNoSpace } from '../world/disk.ts'
import type { Process } from '../world/process.ts'
import { readCheckedFile, writeCheckedFile } from './checked-file.ts'
import type { LogCheckpoint } from './load-types.ts'
import { segmentFactsShape } from './segment-facts-shape.ts'
import { listOf, objectOf, oneOf, orNull, text, whole } from './stored-shape.ts'

const version = 1
const recovery = objectOf({ offset: whole, segmentBase: whole, position: whole })
const log = objectOf({
  topicId: text,
  partition: whole,
  logStartOffset: whole,
  recovery,
  flush: oneOf('commit', 'os'),
  active: orNull(segmentFactsShape),
  snapshotOffset: orNull(whole),
})
const checkpointShape = { version, fits: objectOf({ id: text, logs: listOf(log) }) }
const markerShape = { version, fits: objectOf({ checkpoint: text }) }
const checkpointFile = { name: 'log-checkpoint', kind: 'logs', shape: checkpointShape }
const markerFile = { name: 'clean-shutdown', kind: 'clean', shape: markerShape }

interface Stored {
  readonly id: string
  readonly logs: readonly LogCheckpoint[]
}

export interface CheckpointParts {
  readonly disk: Disk
  readonly process: Process
  readonly random: Random
  readonly directory: string
  /** Brings what is written but not synced to disk, then says what is durable. */
  collect(): Promise<LogCheckpoint[]>
}

export class CheckpointStore {
  readonly #parts: CheckpointParts
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null
  #lastWritten = ''
  #lastId = ''

  constructor(parts: CheckpointParts) {
    this.#parts = parts
  }

  /**
   * What the last run left; `clean` if its last act was a clean shutdown. Takes the marker away.
   */
  async load(): Promise<{
    logs: readonly LogCheckpoint[]
    clean: boolean
    damaged: string | null
  }> {
    const { disk, directory } = this.#parts
    const read = await readCheckedFile(disk, { directory, ...checkpointFile })
    const marker = await readCheckedFile(disk, { directory, ...markerFile })
    if (marker.state !== 'missing') await disk.removeFile(`${directory}/${markerFile.name}`)
    // Also where there is no marker: a run that died between the rename and its sync left a name in
    // the page cache, and segments that go by this checkpoint must not be gone without it.
    await disk.syncDirectory(directory)
    if (read.state === 'missing') return { logs: [], clean: false, damaged: null }
    if (read.state === 'damaged') return { logs: [], clean: false, damaged: read.reason }
    if (read.version > version) {
      throw new SluiceError('NEWER_FORMAT', `log-checkpoint has version ${read.version}`, {
        hint: 'start the version of Sluice that wrote this data directory, or a newer one',
      })
    }
    const { id, logs } = read.value as Stored
    const isKnown = marker.state === 'ok' && marker.version === version
    const named = isKnown ? (marker.value as { checkpoint: string }).checkpoint : null
    return { logs, clean: named === id, damaged: null }
  }

  /** @throws SluiceError DISK_FULL: the old checkpoint still holds. */
  async writeNow(): Promise<void> {
    if (this.#running === null) return this.#start()
    // What is under way may have collected before the caller's change.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null
        return this.#start()
      })
    return this.#next
  }

  #start(): Promise<void> {
    const running = this.#write().finally(() => {
      this.#running = null
    })
    this.#running = running
    return running
  }

  async #write(): Promise<void> {
    const { disk, directory, process, random } = this.#parts
    try {
      const logs = await this.#parts.collect()
      const content = JSON.stringify(logs)
      if (content === this.#lastWritten) return
      const id = random.bits(52).toString(36)
      await writeCheckedFile(disk, { directory, ...checkpointFile }, version, { id, logs })
      this.#lastWritten = content
      this.#lastId = id
    } catch (error) {
      if (isNoSpace(error)) {
        throw new SluiceError('DISK_FULL', 'no space to write the checkpoint', { cause: error })
      }
      process.die('writing the checkpoint failed', asSluiceError(error))
      return new Promise(() => {})
    }
  }

  /** The last write of a clean shutdown. */
  async markClean(): Promise<void> {
    const { disk, directory } = this.#parts
    const value = { checkpoint: this.#lastId }
    await writeCheckedFile(disk, { directory, ...markerFile }, version, value)
  }
}
