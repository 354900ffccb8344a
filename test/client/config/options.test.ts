/** Options: what is refused at the call, by name, with what was probably meant. */
import t from 'tap'
import { checkTopic, clientSettings } from '../../../client/config/options.ts'
import { consumerSettings } from '../../../client/consumer/consumer-settings.ts'

const servers = 'ws://127.0.0.1:9290'

t.test('defaults are those of the documentation', async t => {
  t.match(clientSettings({ servers }), {
    servers: [servers],
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    metadataMaxAgeMs: 30_000,
    reconnectBaseMs: 100,
    reconnectMaxMs: 10_000,
    closeTimeoutMs: 30_000,
    producer: {
      acks: 'all',
      idempotent: true,
      lingerMs: 0,
      batchBytes: 1024 * 1024,
      maxInFlight: 5,
      bufferBytes: 32 * 1024 * 1024,
      deliveryTimeoutMs: 120_000,
      compression: 'none',
    },
  })
  t.match(consumerSettings({ topics: ['a'] }), {
    start: 'earliest',
    noOffset: 'error',
    isolation: 'committed',
    onDecodeError: 'fail',
    checkCrc: true,
    bufferBytes: 16 * 1024 * 1024,
    fetchBytes: 4 * 1024 * 1024,
  })
})

t.test('a wrong option is named, with its range or the nearest name', async t => {
  const cases: [object, RegExp][] = [
    [{ servers, clientID: 'x' }, /unknown option "clientID"/],
    [{ servers, connectTimeoutMs: 0 }, /"connectTimeoutMs" must be an integer from 1/],
    [{ servers, connectTimeoutMs: '5' }, /got "5"/],
    [{ servers, producer: { maxInFlight: 6 } }, /"maxInFlight" must be an integer from 1 to 5/],
    [{ servers, producer: { acks: -1 } }, /one of all, leader, none, got -1/],
    [{ servers, producer: { compression: 'zip' } }, /one of none, gzip, snappy, lz4, zstd/],
    [{ servers, logger: {} }, /an object with debug, info, warn, error/],
    [{ servers, signal: {} }, /an AbortSignal/],
    [{ servers: [''] }, /not a broker URL/],
    [{ servers: 'localhost:9290' }, /not a broker URL/],
    [{}, /names no broker/],
  ]
  for (const [options, message] of cases) {
    t.throws(() => clientSettings(options as never), { code: 'INVALID_ARGUMENT', message })
  }
  t.throws(() => clientSettings(null as never), { code: 'INVALID_ARGUMENT' })
  t.throws(() => clientSettings({ servers, conectTimeoutMs: 1 } as never), {
    code: 'INVALID_ARGUMENT',
    hint: 'did you mean "connectTimeoutMs"?',
  })
})

t.test('topics and consumers are checked when they are made', async t => {
  t.throws(() => checkTopic('', {}), { code: 'INVALID_TOPIC' })
  t.throws(() => checkTopic('x'.repeat(250), {}), { code: 'INVALID_TOPIC' })
  t.throws(() => checkTopic('a', { partitioner: 'md5' as never }), { code: 'INVALID_ARGUMENT' })
  t.throws(() => checkTopic('a', { key: {} as never }), { message: /a codec/ })
  t.throws(() => consumerSettings({}), { message: /nothing to read/ })
  const both = { topics: ['a'], assign: [{ topic: 'a', partition: 0 }] }
  t.throws(() => consumerSettings(both), { message: /exclude each other/ })
  t.throws(() => consumerSettings({ topics: ['a'], strat: 'latest' } as never), {
    code: 'INVALID_ARGUMENT',
    hint: /"start"/,
  })
})
