/** Tests of waiting-records.ts through the SDK: what waits is what was given. */
import t from 'tap'
import { setUp } from '../../support/client-setup.ts'

const text = (bytes: Uint8Array | null | undefined): string =>
  bytes === null || bytes === undefined ? '-' : Buffer.from(bytes).toString()

t.test('bytes changed after send change nothing, also where the record had to wait', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a')
  const parts = ['key', 'value', 'head'].map(word => Buffer.from(word))
  const [key = null, value = null, head = null] = parts
  // the first record of a topic waits until its partitions are known
  const first = topic.send({ key, value, headers: { head } })
  for (const part of parts) part.fill('x')
  await world.run(first)
  const consumer = client.consumer({ topics: ['a'], stopAtEnd: true })
  const read = async () => {
    for await (const record of consumer) {
      return [text(record.key), text(record.value), text(record.headers[0]?.value)]
    }
    return []
  }
  t.strictSame(await world.run(read()), ['key', 'value', 'head'])
})
