/** The option tables: units, ranges, origins, nearest names, and what is refused by name. */
import t from 'tap'
import {
  type BrokerConfigInput,
  brokerConfig,
  parseAddress,
} from '../../../broker/config/broker-config.ts'
import { renderConfigTable } from '../../../broker/config/config-table.ts'
import { configRows, loadBrokerConfig } from '../../../broker/config/load-config.ts'
import { editDistance, nearestName } from '../../../broker/config/nearest-name.ts'
import { checkTopicConfigs, topicSettings } from '../../../broker/config/topic-config.ts'
import {
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseDurationMs,
} from '../../../broker/config/units.ts'
import { SluiceError } from '../../../protocol/errors.ts'

function errorOf(run: () => unknown): SluiceError {
  try {
    run()
  } catch (error) {
    if (SluiceError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('sizes and durations are read as people write them', async t => {
  const bytes: [string, number | null][] = [
    ['1GiB', 2 ** 30],
    ['1 gib', 2 ** 30],
    ['512k', 524_288],
    ['1.5MB', 1_572_864],
    ['10', 10],
    ['10B', 10],
    ['-1', -1],
    ['', null],
    ['GiB', null],
    ['1e3', null],
    ['10 parsecs', null],
    ['99999999999TiB', null],
  ]
  for (const [text, expected] of bytes) t.equal(parseBytes(text), expected, text)
  const durations: [string, number | null][] = [
    ['7d', 604_800_000],
    ['250ms', 250],
    ['250', 250],
    ['1.5h', 5_400_000],
    ['2m', 120_000],
    ['1w', null],
  ]
  for (const [text, expected] of durations) t.equal(parseDurationMs(text), expected, text)
  for (const amount of [0, -1, 1, 1023, 1024, 2 ** 30, 86_400_000]) {
    t.equal(parseBytes(formatBytes(amount)), amount)
    t.equal(parseDurationMs(formatDurationMs(amount)), amount)
  }
})

t.test('the nearest name is suggested, and none where nothing is near', async t => {
  t.equal(editDistance('retention', 'retnetion'), 1)
  t.equal(editDistance('', 'abc'), 3)
  t.equal(nearestName('retention.mss', ['segment.ms', 'retention.ms']), 'retention.ms')
  t.equal(nearestName('zzzzzz', ['segment.ms', 'retention.ms']), null)
  t.equal(nearestName('x'.repeat(2 ** 28), ['x'.repeat(100)]), null, 'a long name costs nothing')
})

t.test('topic settings come from the topic, then the broker, then the table', async t => {
  const settings = topicSettings(
    { 'retention.ms': '1h' },
    { 'retention.ms': '2h', 'segment.bytes': '1MiB' },
  )
  t.equal(settings.retentionMs, 3_600_000)
  t.equal(settings.segmentBytes, 2 ** 20)
  t.equal(settings.flush, 'commit')
  t.equal(settings.maxMessageBytes, 8 * 2 ** 20)
})

t.test(
  'unknown topic settings and bad values are INVALID_CONFIG and say what would be right',
  async t => {
    const unknown = errorOf(() => checkTopicConfigs({ 'retension.ms': '1' }))
    t.match(unknown, { code: 'INVALID_CONFIG', hint: 'nearest: retention.ms' })
    const cases: [string, string, RegExp][] = [
      ['segment.bytes', '10', /at least 1KiB|1KiB to/],
      ['segment.bytes', 'many', /must be bytes/],
      ['retention.ms', '-2', /-1 = for ever/],
      ['flush', 'always', /one of commit, os/],
      ['cleanup.policy', 'compact', /compaction does not exist/],
      ['message.timestamp.type', 'LogAppendTime', /never rewrites/],
      ['__proto__', '1', /no topic setting/],
    ]
    for (const [name, value, message] of cases) {
      const error = errorOf(() => checkTopicConfigs(JSON.parse(JSON.stringify({ [name]: value }))))
      t.match(error, { code: 'INVALID_CONFIG', message }, `${name}=${value}`)
    }
    t.doesNotThrow(() => checkTopicConfigs({ 'retention.ms': '-1', 'retention.bytes': '-1' }))
  },
)

t.test('a broker config is checked as a whole', async t => {
  t.equal(brokerConfig().listen, '127.0.0.1:9290')
  const unknown = { tailCacheByte: 1 } as unknown as BrokerConfigInput
  t.match(
    errorOf(() => brokerConfig(unknown)),
    { hint: 'nearest: tailCacheBytes' },
  )
  t.match(
    errorOf(() => brokerConfig({ numPartitions: 0 })),
    { code: 'INVALID_ARGUMENT' },
  )
  t.match(
    errorOf(() => brokerConfig({ listen: 'nowhere' })),
    { message: /host:port/ },
  )
  t.match(
    errorOf(() => brokerConfig({ advertise: 'http://x' })),
    { message: /ws:/ },
  )
  t.match(
    errorOf(() => brokerConfig({ maxFrameBytes: 2 ** 20 })),
    {
      message: /cannot carry max.message.bytes/,
    },
  )
  t.match(
    errorOf(() => brokerConfig({ topicDefaults: { flash: 'os' } })),
    {
      code: 'INVALID_CONFIG',
      hint: 'nearest: flush',
    },
  )
})

t.test('listening beyond loopback needs --insecure', async t => {
  for (const listen of ['0.0.0.0:0', '[::]:9290', '192.168.1.1:1', 'example.org:1']) {
    const error = errorOf(() => brokerConfig({ listen }))
    t.match(error, { code: 'BAD_LISTEN_ADDRESS', hint: /--insecure/ }, listen)
    t.doesNotThrow(() => brokerConfig({ listen, insecure: true }))
  }
  for (const listen of ['127.0.0.1:0', 'localhost:1', '[::1]:5', '127.8.8.8:1']) {
    t.doesNotThrow(() => brokerConfig({ listen }), listen)
  }
  t.same(parseAddress('[::1]:80'), { host: '::1', port: 80 })
  t.equal(parseAddress('a:70000'), null)
})

t.test(
  'a flag beats the environment, which beats the file, and each value knows its origin',
  async t => {
    const { config, values } = await loadBrokerConfig({
      flags: { 'num-partitions': '3', insecure: 'true' },
      environment: {
        SLUICE_NUM_PARTITIONS: '5',
        SLUICE_MIN__FREE__BYTES: '1GiB',
        SLUICE_TOPIC__FLUSH: 'os',
        SLUICE_SERVERS: 'ws://elsewhere',
        SLUICE_SERVICE_HOST: '10.0.0.1',
        SLUICE_PORT_9290_TCP: 'tcp://10.0.0.1:9290',
        HOME: '/root',
      },
      file: {
        path: 's.json',
        text: '{"min": {"free.bytes": 7}, "rack": "r1", "allowed.origins": ["http://a", "http://b"]}',
      },
    })
    t.match(config, { numPartitions: 3, insecure: true, minFreeBytes: 2 ** 30, rack: 'r1' })
    t.same(config.allowedOrigins, ['http://a', 'http://b'])
    t.same(config.topicDefaults, { flush: 'os' })
    const originOf = (name: string) => values.find(value => value.name === name)?.origin
    t.equal(originOf('num.partitions'), 'flag --num-partitions')
    t.equal(originOf('min.free.bytes'), 'environment SLUICE_MIN__FREE__BYTES')
    t.equal(originOf('rack'), 'file s.json')
    t.equal(originOf('data.dir'), 'default')
    t.equal(values.length, configRows().size)
  },
)

t.test(
  'an unknown key is an error that names it, where it stands, and the nearest one',
  async t => {
    await t.rejects(loadBrokerConfig({ flags: { 'data-dri': 'x' } }), {
      code: 'INVALID_ARGUMENT',
      message: /"data-dri" \(flag --data-dri\)/,
      hint: 'nearest: data.dir',
    })
    await t.rejects(loadBrokerConfig({ environment: { SLUICE_LISTN: 'x' } }), {
      message: /environment SLUICE_LISTN/,
      hint: 'nearest: listen',
    })
    await t.rejects(loadBrokerConfig({ file: { path: 'f', text: '{"topic":{"flsh":"os"}}' } }), {
      message: /file f/,
      hint: 'nearest: topic.flush',
    })
    await t.rejects(loadBrokerConfig({ environment: { SLUICE_RETENTION_MS: '1' } }), {
      message: /RETENTION_MS/,
      hint: 'nearest: topic.retention.ms',
    })
    await t.rejects(loadBrokerConfig({ flags: { listen: '7' } }), { message: /flag --listen/ })
  },
)

t.test('a config file that is no object of settings is refused with its name', async t => {
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
  for (const text of ['', '[]', '{"a": null}', '{"a": [{}]}', '"x"', deep]) {
    await t.rejects(loadBrokerConfig({ file: { path: 'my.json', text } }), {
      code: 'INVALID_ARGUMENT',
      message: /my\.json/,
    })
  }
})

t.test(
  'every row is in the table, has a sentence, and its default passes its own check',
  async t => {
    const table = renderConfigTable()
    for (const [name, { option }] of configRows()) {
      t.ok(table.includes(`\`${name.replace(/^topic\./, '')}\``), name)
      t.match(option.about, /\.$/)
      t.ok('value' in option.check(option.default), `${name} default`)
      t.same(option.parse(option.format(option.default)), { value: option.default }, name)
    }
  },
)
