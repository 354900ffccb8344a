/**
 * Tests of the topic commands against a real broker; their JSON shapes are API and stand here
 * whole.
 */
import t, { type Test } from 'tap'
import { startBroker, type TestBrokerOptions } from '../../../broker/testing/index.ts'
import { type FakeTerminalOptions, sluice } from './fake-terminal.ts'

/** A broker for the test, and a command line that points at it. */
async function withBroker(t: Test, options: TestBrokerOptions = {}) {
  const broker = await startBroker(options)
  t.teardown(() => broker.close())
  const run = (line: string, more: FakeTerminalOptions = {}) =>
    sluice(line.split(' '), { env: { SLUICE_SERVERS: broker.url }, ...more })
  return { broker, run }
}

t.test('topics are created, listed and deleted', async t => {
  const { run } = await withBroker(t)
  const created = await run('topic create orders logs -p 3 -j')
  t.equal(created.code, 0, created.terminal.error)
  t.match(created.terminal.json, [
    { name: 'orders', topicId: /^.{22}$/, partitions: 3, replicationFactor: 1 },
    { name: 'logs', topicId: /^.{22}$/, partitions: 3, replicationFactor: 1 },
  ])
  const list = await run('topic list')
  t.strictSame(list.terminal.lines, [
    'NAME    PARTITIONS  REPLICAS',
    'logs             3         1',
    'orders           3         1',
  ])
  t.strictSame((await run('topic list ^or --output name')).terminal.lines, ['orders'])
  t.equal((await run('topic list --output jsonl')).terminal.lines.length, 2)
  t.equal((await run('topic list (')).code, 2, 'no regular expression')
  t.equal((await run('topic delete logs --yes')).code, 0)
  t.strictSame((await run('topic list --output name')).terminal.lines, ['orders'])
})

t.test('an empty list is an empty list, and said on stderr for people', async t => {
  const { run } = await withBroker(t)
  t.strictSame((await run('topic list -j')).terminal.json, [])
  const { terminal } = await run('topic list')
  t.equal(terminal.text, '')
  t.equal(terminal.error, 'no topics\n')
})

t.test('what goes wrong has its exit code, partly done is 7', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  t.equal((await run('topic create orders')).code, 6)
  t.equal((await run('topic create ../x')).code, 2)
  t.equal((await run(`topic create ${'x'.repeat(250)}`)).code, 2)
  t.equal((await run('topic create none -p 0')).code, 2)
  t.equal((await run('topic describe nope')).code, 3)
  t.equal((await run('topic delete nope --yes')).code, 3)
  t.equal((await run('topic alter orders -c retention.sm=1')).code, 2)
  t.equal((await run('topic alter orders')).code, 2)
  t.equal((await run('topic add-partitions orders 1')).code, 2)
  const partly = await run('topic create fresh orders -j')
  t.equal(partly.code, 7)
  t.match(partly.terminal.json, [{ name: 'fresh' }], 'what was done is listed')
  const { error } = JSON.parse(partly.terminal.error)
  t.strictSame(error.failed, [
    { name: 'orders', code: 'TOPIC_ALREADY_EXISTS', message: 'topic "orders" exists' },
  ])
  const listed = await run('topic create more orders')
  t.match(listed.terminal.error, /^orders: .*TOPIC_ALREADY_EXISTS/)
  t.equal((await run('topic create orders fresh -j')).code, 6, 'nothing done: the first error')
})

t.test('a broker that is away is exit 5 with a hint', async t => {
  const { code, terminal } = await sluice('topic list -s 127.0.0.1:1 --timeout 300ms'.split(' '))
  t.equal(code, 5)
  t.match(terminal.error, /BROKER_NOT_AVAILABLE\)\nhint: .*sluice start/)
})

t.test('describe shows partitions, offsets and settings', async t => {
  const { run } = await withBroker(t, {
    topics: { orders: { partitions: 2, configs: { 'retention.ms': '60000' } } },
  })
  await run('produce orders -p 1', { input: 'a\nb\n' })
  const { terminal } = await run('topic describe orders -j')
  const [described] = terminal.json as [Record<string, unknown>]
  t.strictSame(Object.keys(described).sort(), [
    'configs',
    'flush',
    'name',
    'partitionDetails',
    'partitions',
    'replicationFactor',
    'topicId',
  ])
  t.match(described, {
    flush: 'commit',
    partitionDetails: [
      { partition: 0, leader: 1, logStartOffset: 0, highWatermark: 0, state: 'ok', isr: [1] },
      { partition: 1, highWatermark: 2, durableEndOffset: 2, logEndOffset: 2, sizeBytes: Number },
    ],
  })
  const configs = described.configs as { name: string }[]
  t.match(
    configs.find(config => config.name === 'retention.ms'),
    { name: 'retention.ms', value: String, origin: 'topic', default: String, about: String },
  )
  const text = (await run('topic describe orders')).terminal.text
  t.match(text, /topic {3}orders/)
  t.match(text, /acked means fsynced/)
  t.match(text, /retention.ms/)
  t.notMatch(text, /segment.bytes/, 'settings that nobody set are for wide')
  t.match((await run('topic describe orders --output wide')).terminal.text, /segment.bytes/)
})

t.test(
  'alter shows its plan, --dry-run changes nothing, --unset goes back to the default',
  async t => {
    const { run } = await withBroker(t, { topics: { orders: 1 } })
    const value = async () => {
      const { terminal } = await run('topic describe orders -j')
      const [topic] = terminal.json as [{ configs: { name: string; value: string }[] }]
      return topic.configs.find(config => config.name === 'retention.ms')?.value
    }
    const before = await value()
    const dry = await run('topic alter orders -c retention.ms=60000 --dry-run -j')
    t.strictSame(dry.terminal.json, [{ setting: 'retention.ms', from: before, to: '60000' }])
    t.equal(await value(), before)
    t.equal((await run('topic alter orders -c retention.ms=60000')).code, 0)
    t.not(await value(), before)
    const unset = await run('topic alter orders --unset retention.ms -j')
    const change = { setting: 'retention.ms', from: '1m', to: before, unset: true }
    t.strictSame(unset.terminal.json, [change])
    t.equal(await value(), before)
    const { terminal } = await run('topic alter orders --unset retention.ms')
    t.match(terminal.text, `${before} (default)`)
  },
)

t.test('add-partitions raises the number', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  const { terminal } = await run('topic add-partitions orders 4 -j')
  t.match(terminal.json, [{ name: 'orders', partitions: 4 }])
})

t.test('trim removes the oldest, after asking for the name', async t => {
  const { run } = await withBroker(t, { topics: { orders: 2 } })
  await run('produce orders -p 0', { input: 'a\nb\nc\n' })
  t.equal((await run('topic trim orders -p 0 --before 1')).code, 2, 'nobody can be asked')
  t.equal((await run('topic trim orders -p 0 --before 9 --yes')).code, 3)
  t.equal((await run('topic trim orders -p 7 --before 1 --yes')).code, 3)
  const dry = await run('topic trim orders -p 0 --before end --dry-run -j')
  t.strictSame(dry.terminal.json, [{ topic: 'orders', partition: 0, logStartOffset: 3 }])
  const asked = await run('topic trim orders -p 0 --before 2 -j', {
    isTty: true,
    answers: ['orders'],
  })
  t.strictSame(asked.terminal.json, [{ topic: 'orders', partition: 0, logStartOffset: 2 }])
  t.match(asked.terminal.questions, [/destroys records.*"orders"/])
  const left = await run('consume orders -e -f %o:%v;')
  t.equal(left.terminal.text, '2:c;')
})

t.test('delete asks for the name and believes nothing else', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  const wrong = await run('topic delete orders', { isTty: true, answers: ['order'] })
  t.not(wrong.code, 0)
  t.equal((await run('topic delete orders')).code, 2)
  t.equal((await run('topic delete orders --dry-run')).code, 0)
  t.strictSame((await run('topic list --output name')).terminal.lines, ['orders'])
  t.equal((await run('topic delete orders', { isTty: true, answers: ['orders'] })).code, 0)
  t.strictSame((await run('topic list --output name')).terminal.lines, [])
})
