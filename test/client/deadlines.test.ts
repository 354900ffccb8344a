/** Every call of the SDK that waits has a deadline and takes a signal. */
import t from 'tap'
import { string } from '../../client/codecs/codecs.ts'
import type { CallOptions, Client } from '../../client/index.ts'
import { setUp } from '../support/client-setup.ts'
import { settle } from '../support/manual-world.ts'
import { silence } from '../support/produce-scripts.ts'

type Call = (client: Client, options: CallOptions) => Promise<unknown>

const offset = { topic: 'a', partition: 0, at: 'latest' } as const
const calls: Record<string, Call> = {
  'topics.list': ({ admin }, options) => admin.topics.list(options),
  'topics.create': ({ admin }, options) => admin.topics.create({ name: 'b' }, options),
  'topics.describe': ({ admin }, options) => admin.topics.describe('a', options),
  'topics.alter': ({ admin }, options) => admin.topics.alter('a', { flush: 'os' }, options),
  'topics.delete': ({ admin }, options) => admin.topics.delete('a', options),
  'topics.addPartitions': ({ admin }, options) => admin.topics.addPartitions('a', 4, options),
  'topics.trim': ({ admin }, options) => admin.topics.trim('a', 0, 0, options),
  offsets: ({ admin }, options) => admin.offsets([offset], options),
  describeCluster: ({ admin }, options) => admin.describeCluster(options),
  'consumer.seek': (client, options) =>
    client.consumer({ topics: ['a'] }).seek('a', 0, 'latest', options),
  flush: (client, options) => client.flush(options),
  'topic.flush': (client, options) => client.topic('a').flush(options),
}
const apis = [
  'metadata',
  'create-topics',
  'describe-configs',
  'describe-log',
  'alter-configs',
  'delete-topics',
  'add-partitions',
  'delete-records',
  'list-offsets',
  'produce',
] as const

async function silentBroker(t: Parameters<typeof setUp>[0]) {
  const setup = await setUp(t)
  setup.broker.createTopic('a')
  const topic = setup.client.topic('a', { value: string() })
  await setup.world.run(topic.send({ value: 'known' }))
  for (const api of apis) setup.broker.always(api, silence)
  // What flush waits for.
  topic.post({ value: 'never answered' })
  return setup
}

for (const [name, call] of Object.entries(calls)) {
  t.test(`${name} ends at its deadline, and at once when it is aborted`, async t => {
    const { world, client } = await silentBroker(t)
    const startedMs = world.nowMs
    const late = call(client, { timeoutMs: 700 })
    await t.rejects(world.run(late), { code: /REQUEST_TIMED_OUT|NETWORK_ERROR/ })
    const tookMs = world.nowMs - startedMs
    t.ok(tookMs >= 500 && tookMs <= 701, `after ${tookMs} ms`)
    const abort = new AbortController()
    const aborted = call(client, { signal: abort.signal })
    await settle()
    abort.abort()
    await t.rejects(world.run(aborted), { code: 'ABORTED' })
    await t.rejects(world.run(call(client, { signal: abort.signal })), { code: 'ABORTED' })
  })
}

t.test('send, sendAll and ready are aborted by their signal', async t => {
  const { world, broker, client } = await setUp(t, { producer: { bufferBytes: 300 } })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'known' }))
  broker.always('produce', silence)
  topic.post({ value: 'x'.repeat(500) })
  await settle()
  const waits: ((signal: AbortSignal) => Promise<unknown>)[] = [
    signal => topic.send({ value: 'y' }, { signal }),
    signal => topic.sendAll([{ value: 'y' }], { signal }),
    signal => topic.ready({ signal }),
  ]
  for (const call of waits) {
    const abort = new AbortController()
    const waiting = call(abort.signal)
    await settle()
    abort.abort()
    await t.rejects(world.run(waiting), { code: 'ABORTED' })
  }
})
