/**
 * Request: any message to the real broker through session, dispatcher and handlers. It is answered
 * by what the api's words allow, or its connection ends; the broker lives, has a name for every
 * error, and the neighbour notices nothing.
 */
import { decodeFrame, encodeFrame } from '../../../protocol/frame.ts'
import { type ApiName, apis } from '../../../protocol/messages/apis.ts'
import { checkMessage, type Shape } from '../../../protocol/messages/define.ts'
import type { Answer, Peer } from '../../support/direct-network.ts'
import { settled } from '../../support/test-broker.ts'
import { BatchStore } from '../batches.ts'
import { FuzzBroker } from '../fuzz-broker.ts'
import { frameOf, headerText, type MessageKind, messageKinds } from '../messages.ts'
import { inPieces, mutated } from '../mutate.ts'
import { FuzzRandom } from '../random.ts'
import { Broken, defaults, require, type Target, type TargetState, verdictOf } from '../target.ts'

const maxHeaderBytes = 2 ** 20
const guardEvery = 64
const mostTurns = 30
const topics = { orders: 2, 'quakes.raw': 1 }
const cuts = new FuzzRandom()
/** No request is given this id. */
const helloId = 2 ** 52 + 4711
const client = { software: 'fuzz', id: '' }
const hello = encodeFrame({ id: helloId, api: 'hello', v: 1, client })

/** Thousands of partitions are allowed, and would be all that this target does. */
const fewPartitions = (text: string): string =>
  text.replace(/("(?:partitions|total)":)(\d{2,5})(?=[,}])/g, '$13')

class RequestState implements TargetState {
  readonly #broker: FuzzBroker
  readonly #kinds: readonly MessageKind[]
  readonly #store: BatchStore
  readonly #topicIds: ReadonlyMap<string, string>
  #count = 0

  constructor(broker: FuzzBroker, topicIds: ReadonlyMap<string, string>, seed: number) {
    this.#broker = broker
    this.#topicIds = topicIds
    this.#store = new BatchStore(seed)
    const names = Object.keys(topics)
    const settings = ['flush', 'os', 'commit', 'retention.ms', '1', '-1', 'segment.bytes', '7d']
    const ids = names.flatMap(name => topicIds.get(name) ?? [])
    const texts = [...names, ...names, ...ids, ...ids, ...settings, 'new-topic', '', 'é']
    this.#kinds = messageKinds('request', seed, { texts })
  }

  make(random: FuzzRandom): Uint8Array {
    const frame = random.oneIn(3) ? this.#data(random) : this.#any(random)
    return random.oneIn(32) ? mutated(frame, random) : frame
  }

  #any(random: FuzzRandom): Uint8Array {
    const drawn = random.pick(this.#kinds)
    // Without its topics a broker has little to be asked for.
    const redraw = drawn.api === 'delete-topics' && !random.oneIn(16)
    const kind = redraw ? random.pick(this.#kinds) : drawn
    const bodies = Array.from({ length: random.size(4) }, () => this.#store.make(random))
    return frameOf(fewPartitions(headerText(kind, random)), bodies)
  }

  /** Produce, fetch and look-ups that are right but for the values that they carry. */
  #data(random: FuzzRandom): Uint8Array {
    const partitions = Array.from({ length: 1 + random.below(3) }, () => {
      const topic = random.pick(Object.keys(topics))
      const partition = random.below(random.oneIn(8) ? 4 : topic === 'orders' ? 2 : 1)
      return { topic, topicId: this.#topicIds.get(topic), partition }
    })
    const id = random.below(100)
    const offset = () => (random.oneIn(4) ? Math.abs(random.safeInteger()) : random.below(200))
    switch (random.below(4)) {
      case 0: {
        const maxBytes = 1 + random.size(10_000)
        const entries = partitions.map(p => ({ ...p, offset: offset(), maxBytes }))
        const isolation = random.pick(['committed', 'uncommitted'])
        const wish = { maxWaitMs: 0, minBytes: random.below(2), maxBytes, isolation }
        return frameOf(JSON.stringify({ id, api: 'fetch', v: 1, ...wish, partitions: entries }))
      }
      case 1: {
        const at = () => random.pick(['earliest', 'latest', 'timestamp', 'maxTimestamp'])
        const entries = partitions.map(p => ({ ...p, at: at(), timestamp: offset() }))
        return frameOf(JSON.stringify({ id, api: 'list-offsets', v: 1, partitions: entries }))
      }
      default: {
        const acks = random.pick(['all', 'leader', 'none'])
        const header = { id, api: 'produce', v: 1, acks, timeoutMs: 1000, partitions }
        const bodies = partitions.map(() => this.#store.make(random))
        return frameOf(JSON.stringify(header), bodies)
      }
    }
  }

  async run(input: Uint8Array): Promise<string> {
    const peer = this.#broker.network.connect()
    peer.sendRaw(...hello)
    cuts.restart(input.length, input[0] ?? 0, input[input.length - 1] ?? 0)
    peer.sendRaw(...inPieces(new Uint8Array(input), cuts))
    const stage = await this.#outcome(peer, input)
    peer.drop()
    this.#broker.requireCalm()
    if (++this.#count % guardEvery === 0) await this.#broker.requireGuard()
    return stage
  }

  async #outcome(peer: Peer, input: Uint8Array): Promise<string> {
    const frame = verdictOf(() => decodeFrame([input], maxHeaderBytes))
    const header = 'header' in frame ? frame.header : {}
    const id = header['id'] as number
    for (let turn = 0; turn < mostTurns && !peer.answers.has(id); turn++) {
      if (peer.closed !== null) return 'connection closed'
      await settled()
    }
    const answer = peer.answers.get(id)
    if (answer === undefined) return requireSilence(header)
    return stageOf(header['api'] as ApiName, answer)
  }

  close(): Promise<void> {
    return this.#broker.close()
  }
}

/** Without an answer are only what asks for none and what asked to wait. */
function requireSilence(header: Record<string, unknown>): string {
  const waits = header['api'] === 'fetch' && Number(header['maxWaitMs']) > 0
  if (waits) return 'waiting'
  const isOneWay = header['api'] === 'produce' && header['acks'] === 'none'
  require(isOneWay, () => `no answer to ${JSON.stringify(header).slice(0, 300)}`)
  return 'no answer wanted'
}

function stageOf(api: ApiName, { header, error }: Answer): string {
  const text = JSON.stringify(header)
  if (text.includes('UNKNOWN_SERVER_ERROR')) throw new Broken(`an error without name: ${text}`)
  if (error !== undefined) return `error: ${error.code}`
  checkMessage(apis[api].response as Shape, header)
  return text.includes('"error":') ? `answered with item errors` : `answered: ${api}`
}

export const request: Target = {
  ...defaults,
  name: 'request',
  reaches: [
    'answered: produce',
    'answered: fetch',
    'answered: list-offsets',
    'answered: create-topics',
    'answered: alter-configs',
    'answered: delete-records',
    'connection closed',
    'error: INVALID_REQUEST',
    'no answer wanted',
  ],
  weight: 40_000,
  maxAllocatedBytes: 16 * 2 ** 20,
  executionsPerState: 1000,
  isStateful: true,
  async open(seed) {
    const broker = await FuzzBroker.open(seed, topics)
    return new RequestState(broker, await broker.topicIds(), seed)
  },
}
