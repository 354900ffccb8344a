/** Topic specs: a slip of the program is named in the words of topics, before anything travels. */
import t from 'tap'
import { type ErrorCode, SluiceError } from '../../../protocol/errors.ts'
import { setUp } from '../../support/client-setup.ts'

t.test('a wrong topic is refused by its own code, with a hint, without a request', async t => {
  const { world, client, broker } = await setUp(t)
  broker.createTopic('a')
  const { topics } = client.admin
  const long = 'x'.repeat(250)
  const number = 5 as unknown as string
  const calls: readonly (readonly [ErrorCode, string, () => Promise<unknown>])[] = [
    ['INVALID_TOPIC', 'has 250 characters', () => topics.create({ name: long })],
    ['INVALID_TOPIC', 'has 250 characters', () => topics.describe(long)],
    ['INVALID_TOPIC', 'has 250 characters', () => topics.delete(long)],
    ['INVALID_TOPIC', 'has 250 characters', () => topics.alter(long, {})],
    ['INVALID_TOPIC', 'has 250 characters', () => topics.addPartitions(long, 2)],
    ['INVALID_TOPIC', 'has 250 characters', () => topics.trim(long, 0, 0)],
    ['INVALID_TOPIC', 'is text, got 5', () => topics.create({ name: number })],
    ['INVALID_PARTITIONS', 'have 0 p', () => topics.create({ name: 'b', partitions: 0 })],
    ['INVALID_PARTITIONS', 'have 1.5 p', () => topics.create({ name: 'b', partitions: 1.5 })],
    ['INVALID_PARTITIONS', 'have 10001 p', () => topics.addPartitions('a', 10_001)],
    [
      'INVALID_REPLICATION_FACTOR',
      'have 0 replicas',
      () => topics.create({ name: 'b', replicationFactor: 0 }),
    ],
    [
      'INVALID_CONFIG',
      'retention.ms is given as text',
      () => topics.create({ name: 'b', configs: { 'retention.ms': number } }),
    ],
    ['INVALID_CONFIG', 'flush is given as text', () => topics.alter('a', { flush: number })],
  ]
  for (const [code, message, call] of calls) {
    const error = await world.run(call().catch((thrown: unknown) => thrown))
    if (!(error instanceof SluiceError)) return t.fail(`${code}: no SluiceError`)
    t.equal(error.code, code)
    t.ok(error.message.includes(message), error.message)
    t.ok(error.hint, 'there is a hint')
  }
  t.same(
    (await world.run(topics.list())).map(topic => topic.name),
    ['a'],
    'nothing was made',
  )
})
