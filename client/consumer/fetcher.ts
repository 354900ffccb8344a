/**
 * Fetcher: keeps the readers' buffers filled, so that the wire works while the loop does.
 *
 *   readers of a broker ──> fetch of at most 64 ─ waits ─┐   a record of one partition ends the wait
 *                      ──> fetch of at most 64 ─ waits ─┤   of its own fetch; the others wait on
 *                      ──> …
 *
 * Always true: a partition is in at most one fetch at a time; a fetch names only partitions with
 * room, so a slow or paused one never holds up another. What the buffers hold stays within
 * bufferBytes, and so do the answers that are under way, one batch per partition aside.
 * Called by consumer.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { backoffMs } from '../cluster/backoff.ts'
import type { Answer, RequestHeader } from '../cluster/broker-session.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { FetchSettings } from './consumer-settings.ts'
import { groupCount, groupSize, maxFetchesPerBroker } from './fetch-groups.ts'
import type { FetchOutcomes } from './fetch-outcomes.ts'
import type { Asked, PartitionReader } from './partition-reader.ts'

const retryPace = { baseMs: 20, maxMs: 1000 }

export interface FetcherParts {
  readonly cluster: Cluster
  readonly settings: FetchSettings
  readonly outcomes: FetchOutcomes
  readonly signal: AbortSignal
  /** Something changed that the loop waits for. */
  wake(): void
}

export class Fetcher {
  readonly #parts: FetcherParts
  readonly #inFlight = new Map<number, number>()
  #readers: PartitionReader[] = []
  #turn = 0
  /** Bytes that the loop must be done with before anybody may fetch; below 0 = none. */
  #excessBytes = -1
  /** Of the fetches under way. Node warns of a signal that more than ten listen to. */
  readonly #stops = new Set<AbortController>()

  constructor(parts: FetcherParts) {
    this.#parts = parts
    const { signal } = parts
    const stopAll = (): void => {
      for (const stop of this.#stops) stop.abort(signal.reason)
    }
    signal.addEventListener('abort', stopAll, { once: true })
  }

  setReaders(readers: readonly PartitionReader[]): void {
    this.#readers = [...readers]
  }

  /** Sends what may be sent now. Called whenever room, positions or leaders changed. */
  pump(): void {
    if (this.#parts.signal.aborted) return
    const byLeader = new Map<number, PartitionReader[]>()
    const buffered = this.#readers.reduce((sum, reader) => sum + reader.bufferedBytes, 0)
    this.#excessBytes = buffered - this.#parts.settings.bufferBytes
    if (this.#excessBytes >= 0) return
    const nowMs = this.#parts.cluster.world.clock.monotonicMs()
    for (const reader of this.#inTurn()) {
      if (!this.#wants(reader, nowMs)) continue
      const others = byLeader.get(reader.leader)
      if (others === undefined) byLeader.set(reader.leader, [reader])
      else others.push(reader)
    }
    for (const [leader, readers] of byLeader) this.#maybeFetch(leader, readers)
  }

  /**
   * The loop is done with `bytes` of the reader. Called for each batch, so it looks at the other
   * readers only where this one may be fetched, or where they waited for the room.
   */
  released(reader: PartitionReader, bytes: number): void {
    if (this.#excessBytes >= 0) {
      this.#excessBytes -= bytes
      if (this.#excessBytes < 0) this.pump()
      return
    }
    const { clock } = this.#parts.cluster.world
    if ((this.#inFlight.get(reader.leader) ?? 0) >= maxFetchesPerBroker) return
    if (this.#wants(reader, clock.monotonicMs())) this.pump()
  }

  /**
   * A suspect of an answer that was too large goes alone, so that what fails next is its own fetch.
   */
  #maybeFetch(leader: number, readers: readonly PartitionReader[]): void {
    const inFlight = this.#inFlight.get(leader) ?? 0
    const suspect = readers.find(reader => reader.isAlone)
    const isBusy = this.#readers.some(r => r.leader === leader && r.isAlone && r.isFetching)
    if (isBusy || inFlight >= maxFetchesPerBroker) return
    if (suspect === undefined) this.#fetchGroups(leader, readers, maxFetchesPerBroker - inFlight)
    else if (inFlight === 0) this.#fetch(leader, [suspect])
  }

  #fetchGroups(leader: number, readers: readonly PartitionReader[], most: number): void {
    const session = this.#parts.cluster.currentSession(leader)
    // The first request opens the session, which tells how many partitions one may name.
    if (session === undefined) {
      this.#fetch(leader, readers.slice(0, 1))
      return
    }
    const size = Math.min(session.maxPartitions, groupSize(this.#readers.length))
    for (let group = 0; group < most && group * size < readers.length; group++) {
      this.#fetch(leader, readers.slice(group * size, (group + 1) * size))
    }
  }

  /** Each call begins with another reader: a fetch's credit goes to the first ones. */
  #inTurn(): PartitionReader[] {
    if (this.#readers.length < 2) return this.#readers
    this.#turn = (this.#turn + 1) % this.#readers.length
    return [...this.#readers.slice(this.#turn), ...this.#readers.slice(0, this.#turn)]
  }

  get #shareBytes(): number {
    const count = Math.max(1, this.#readers.length)
    return Math.max(1, Math.floor(this.#parts.settings.bufferBytes / count))
  }

  #wants(reader: PartitionReader, nowMs: number): boolean {
    const { isPaused, isFetching, position, leader, failure, endOffset } = reader
    if (isPaused || isFetching || position === undefined || failure !== undefined) return false
    const isPast = endOffset !== undefined && reader.fetchOffset >= endOffset
    if (isPast && !reader.isDoubtful) return false
    if (leader < 0 || reader.retryAtMs > nowMs) return false
    return reader.bufferedBytes < this.#shareBytes
  }

  #fetch(leader: number, readers: readonly PartitionReader[]): void {
    const { cluster, settings } = this.#parts
    const stop = new AbortController()
    this.#stops.add(stop)
    for (const reader of readers) reader.isFetching = true
    this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 0) + 1)
    const asked = readers.map(reader => ({
      reader,
      generation: reader.generation,
      offset: reader.fetchOffset,
      lastEpoch: reader.lastEpoch,
    }))
    const timeoutMs = settings.maxWaitMs + cluster.settings.requestTimeoutMs
    cluster
      .request(leader, 'fetch', this.#header(readers), { timeoutMs, signal: stop.signal })
      .then(
        answer => this.#onAnswer(asked, answer),
        error => this.#parts.outcomes.onRequestFailed(readers, asSluiceError(error)),
      )
      .catch(error => {
        for (const reader of readers) reader.failure ??= asSluiceError(error)
      })
      .finally(() => {
        this.#stops.delete(stop)
        this.#afterFetch(leader, readers)
      })
  }

  #header(readers: readonly PartitionReader[]): RequestHeader<'fetch'> {
    const { maxWaitMs, minBytes, fetchBytes, bufferBytes, isolation } = this.#parts.settings
    const shareBytes = this.#shareBytes
    const groups = groupCount(this.#readers.length)
    const maxBytes = Math.max(1, Math.min(fetchBytes, Math.floor(bufferBytes / groups)))
    const partitions = readers.map(reader => ({
      topic: reader.topic,
      topicId: reader.topicId,
      partition: reader.partition,
      offset: reader.fetchOffset,
      maxBytes: Math.max(1, Math.min(fetchBytes, shareBytes - reader.bufferedBytes)),
      ...(reader.lastEpoch !== undefined && { lastEpoch: reader.lastEpoch }),
    }))
    return { maxWaitMs, minBytes, maxBytes, isolation, partitions }
  }

  #onAnswer(asked: readonly Asked[], { response, bodies }: Answer<'fetch'>): void {
    let at = 0
    asked.forEach((one, index) => {
      const answer = response.partitions[index]
      if (answer === undefined || answer.partition !== one.reader.partition) {
        throw new SluiceError('PROTOCOL_MISMATCH', 'a fetch answer names other partitions')
      }
      const own = bodies.slice(at, at + answer.bodies).map(ownBytes)
      at += answer.bodies
      // What was asked before a seek or a truncation is no answer to what is wanted now.
      if (one.generation === one.reader.generation) this.#parts.outcomes.onAnswer(one, answer, own)
    })
  }

  #afterFetch(leader: number, readers: readonly PartitionReader[]): void {
    this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 1) - 1)
    const { clock, timers, random } = this.#parts.cluster.world
    const nowMs = clock.monotonicMs()
    for (const reader of readers) {
      reader.isFetching = false
      if (reader.failures === 0 || reader.failure !== undefined) continue
      const delayMs = backoffMs(reader.failures, retryPace, random)
      const retryAtMs = nowMs + delayMs
      reader.retryAtMs = retryAtMs
      timers.after(delayMs, () => {
        // Not compared with the clock: a timer may fire a little before its time.
        if (reader.retryAtMs === retryAtMs) reader.retryAtMs = 0
        this.pump()
      })
    }
    this.#parts.wake()
    this.pump()
  }
}

/** A small view would keep the whole buffer that it arrived in for as long as it waits here. */
function ownBytes(body: Uint8Array): Uint8Array {
  return body.byteLength * 2 < body.buffer.byteLength ? body.slice() : body
}
