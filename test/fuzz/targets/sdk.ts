/**
 * SDK: the whole client against a broker that is hostile in one answer and honest otherwise. Each
 * call ends, in simulated time, with a result or a SluiceError, and closing leaves no timer.
 */
import { connect } from '../../../client/client.ts'
import type { Client } from '../../../client/types/client.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import type { ApiName } from '../../../protocol/messages/apis.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { ManualWorld } from '../../support/manual-world.ts'
import { fill } from '../../support/reading.ts'
import { answerInput } from '../answers.ts'
import { BatchStore } from '../batches.ts'
import { apiNames, type MessageKind, messageKinds } from '../messages.ts'
import type { FuzzRandom } from '../random.ts'
import { Broken, defaults, type Target } from '../target.ts'

const words = { texts: ['orders', 'topic-1-1', 'cluster-1', 'ws://broker-1:9290', '', 'é'] }
const virtualLimitMs = 600_000
const consumerLimitMs = 20_000
/** The broker's own long polls are over by then. */
const lingerMs = 60_000
const patience = { connectTimeoutMs: 5000, requestTimeoutMs: 2000 }

async function consume(client: Client): Promise<void> {
  let seen = 0
  const options = { topics: ['orders'], stopAtEnd: true, noOffset: 'earliest' } as const
  for await (const _ of client.consumer(options)) if (++seen > 1000) break
}

type Call = (client: Client) => Promise<unknown>

/** The calls that an application makes, and the apis whose answers they wait for. */
const calls: readonly (readonly [Call, ...ApiName[]])[] = [
  [consume, 'hello', 'metadata', 'list-offsets', 'fetch', 'fetch', 'fetch'],
  [client => client.topic('orders').send({ value: new Uint8Array(3) }), 'metadata', 'produce'],
  [client => client.admin.topics.list(), 'hello', 'metadata'],
  [client => client.admin.topics.describe('orders'), 'describe-configs', 'describe-log'],
  [client => client.admin.topics.create({ name: 'new' }), 'create-topics'],
  [client => client.admin.topics.trim('orders', 0, 1), 'delete-records', 'metadata'],
  [
    client => client.admin.offsets([{ topic: 'orders', partition: 0, at: 'latest' }]),
    'list-offsets',
  ],
  [client => client.admin.describeCluster(), 'metadata'],
]

/** First bytes: the call, which answer of its api is hostile; then as answerInput. */
function make(kinds: readonly MessageKind[], store: BatchStore, random: FuzzRandom): Uint8Array {
  const call = random.oneIn(2) ? 0 : random.below(calls.length)
  const [, ...asked] = calls[call] ?? [consume]
  const api = random.pick(asked)
  // The honest answer is damaged, seldom that to another question.
  const own = random.oneIn(8) ? kinds : kinds.map(() => kinds[apiNames.indexOf(api)] as MessageKind)
  const answer = answerInput(own, store, random)
  answer[0] = apiNames.indexOf(api)
  const input = new Uint8Array(2 + answer.length)
  input[0] = call
  input[1] = random.oneIn(4) ? random.size(3) : 0
  input.set(answer, 2)
  return input
}

/** The bytes of `frame` with the id of the request at the place of the 1. */
function withId(frame: Uint8Array, id: number): Uint8Array {
  const marker = '{"id":1'
  const head = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (head.toString('latin1', 4, 4 + marker.length) !== marker) return frame
  const rest = head.subarray(4 + marker.length)
  const text = Buffer.from(`{"id":${id}`)
  const result = Buffer.concat([head.subarray(0, 4), text, rest])
  const length = head.readUInt32BE(0) + text.length - marker.length
  result.writeUInt32BE(Math.min(length, 2 ** 32 - 1), 0)
  return result
}

function beHostile(broker: FakeBroker, input: Uint8Array): { wasAsked: boolean } {
  const api = apiNames[(input[2] ?? 0) % apiNames.length] as ApiName
  const state = { wasAsked: false }
  let before = (input[1] ?? 0) % 4
  broker.always(api, (request, proceed) => {
    if (before-- !== 0) return proceed()
    state.wasAsked = true
    request.end.send([withId(input.subarray(3), request.header.id)])
    return undefined
  })
  return state
}

async function use(world: ManualWorld, input: Uint8Array): Promise<string> {
  const [call] = calls[(input[0] ?? 0) % calls.length] ?? [consume]
  try {
    const connecting = connect({ servers: 'ws://broker-1:9290', ...patience }, world)
    const client = await world.run(connecting, virtualLimitMs)
    const calling = call(client).then(
      () => 'done',
      error => codeOf(error),
    )
    const outcome = await endedOrTrying(world, calling, call === consume)
    await world.run(client.close(), virtualLimitMs)
    await world.run(calling, virtualLimitMs)
    return outcome
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  if (!SluiceError.is(error)) throw error
  return error.code
}

/** A consumer tries for ever what may heal; every other call has its deadline. */
async function endedOrTrying(world: ManualWorld, calling: Promise<string>, mayTry: boolean) {
  if (!mayTry) return world.run(calling, virtualLimitMs)
  try {
    return await world.run(calling, consumerLimitMs)
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('not settled')) return 'still trying'
    throw error
  }
}

async function run(input: Uint8Array): Promise<string> {
  if (input.length < 4) return 'too short'
  const world = await ManualWorld.make()
  const broker = new FakeBroker(world)
  broker.createTopic('orders')
  fill(broker.log('orders'), 2, 3)
  const state = beHostile(broker, input)
  const outcome = await use(world, input)
  await world.advance(lingerMs)
  if (world.timerCount > 0) throw new Broken(`${world.timerCount} timers are left`)
  broker.stop()
  return state.wasAsked ? outcome : 'not asked'
}

export const sdk: Target = {
  ...defaults,
  name: 'sdk',
  reaches: ['done', 'PROTOCOL_MISMATCH'],
  weight: 1500,
  maxMs: 1000,
  maxAllocatedBytes: 2 ** 25,
  executionsPerState: 500,
  async open(seed) {
    const store = new BatchStore(seed)
    const kinds = messageKinds('response', seed, words)
    return { make: random => make(kinds, store, random), run }
  },
}
