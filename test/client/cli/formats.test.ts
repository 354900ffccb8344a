/** Tests of print-format.ts, read-format.ts and record-json.ts: records as text, and back. */
import fc from 'fast-check'
import t from 'tap'
import { compilePrintFormat, unescapeText } from '../../../client/cli/print-format.ts'
import { RecordReader } from '../../../client/cli/read-format.ts'
import { recordFromJson, recordToJson } from '../../../client/cli/record-json.ts'
import type { ReceivedRecord } from '../../../client/types/consuming.ts'

const bytes = (text: string) => Buffer.from(text)
type Raw = ReceivedRecord<Uint8Array, Uint8Array>

const received = (key: Uint8Array | null, value: Uint8Array | null): Raw => ({
  topic: 'orders',
  partition: 3,
  offset: 42,
  timestamp: 1_700_000_000_000,
  key,
  value,
  headers: [
    { name: 'a', value: bytes('1') },
    { name: 'b', value: null },
  ],
  raw: { key, value },
})
const print = (format: string, record: Raw) =>
  Buffer.concat(compilePrintFormat(format)(record)).toString('latin1')

function read(format: string, input: Uint8Array, chunkBytes = input.length) {
  const reader = new RecordReader(format, { maxRecordBytes: 1000 })
  const records = []
  for (let at = 0; at < input.length; at += chunkBytes) {
    records.push(...reader.push(input.subarray(at, at + chunkBytes)))
  }
  return [...records, ...reader.end()]
}

t.test('every verb prints its part', async t => {
  const record = received(bytes('k'), bytes('v1'))
  t.equal(
    print('%t %p:%o %d %T\\n', record),
    'orders 3:42 1700000000000 2023-11-14T22:13:20.000Z\n',
  )
  t.equal(print('%k=%v %K/%V %h %H %%', record), 'k=v1 1/2 a=1,b 2 %')
  t.equal(print('%v{hex} %v{base64} %v{json}', record), '7631 djE= "v1"')
  t.equal(print('%k|%v|%K|%k{json}', received(null, null)), '||-1|null')
  t.equal(print('%v', received(null, Uint8Array.of(0xff, 0))), '\u00ff\0', 'bytes pass unchanged')
})

t.test('unknown verbs, forms and escapes are refused', async t => {
  for (const format of ['%x', '%', '%v{octal}', '%p{hex}', '\\q', '%v\\']) {
    t.throws(() => compilePrintFormat(format), { code: 'INVALID_ARGUMENT' }, format)
  }
  t.equal(unescapeText('\\n\\t\\x41\\\\'), '\n\tA\\')
})

t.test('input is cut as the format says', async t => {
  const [first, second] = read('%k %v\\n', bytes('eu {"id": 1}\nus x'))
  t.equal(String(first?.key), 'eu')
  t.equal(String(first?.value), '{"id": 1}', 'the value goes to the end of the line')
  t.equal(String(second?.value), 'x', 'the last line needs no end')
  const [full] = read('%t|%p|%d|%h|%k{hex}|%v{base64};', bytes('o|2|99|a=1,b|6b|dg==;'))
  t.match(full, {
    topic: 'o',
    partition: 2,
    timestamp: 99,
    headers: [
      ['a', '1'],
      ['b', null],
    ],
  })
  t.equal(String(full?.key), 'k')
  t.equal(String(full?.value), 'v')
  t.equal(read('%v\\n', bytes('a\n\nb\n')).length, 3, 'an empty line is a record')
})

t.test('input that does not fit is an error that names the record', async t => {
  t.throws(() => read('%k %v\\n', bytes('a b\nnokey\n')), { message: /record 2 .*%k/ })
  t.throws(() => read('%p %v\\n', bytes('x y\n')), { message: /record 1 .*%p/ })
  t.throws(() => read('%v{hex}\\n', bytes('xy\n')), { message: /hex/ })
  t.throws(() => read('<%v>', bytes('x>')), { message: /start/ })
  t.throws(() => read('%v\\n', Buffer.alloc(2000, 'x'), 100), { message: /1000 bytes/ })
  t.throws(() => new RecordReader('%k%v\\n', { maxRecordBytes: 9 }), { message: /between/ })
  t.throws(() => new RecordReader('abc', { maxRecordBytes: 9 }), { message: /no field/ })
})

t.test('how the input is split into chunks does not matter', async t => {
  const word = fc.string({ minLength: 0, maxLength: 8 }).filter(text => !/\s/.test(text))
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word)), fc.integer({ min: 1, max: 9 }), (pairs, size) => {
      const input = bytes(pairs.map(([k, v]) => `${k} ${v}\n`).join(''))
      const records = read('%k %v\\n', input, size)
      const back = records.map(r => [String(r.key), String(r.value)])
      return JSON.stringify(back) === JSON.stringify(pairs)
    }),
  )
  t.pass('same records')
})

t.test('a record as JSON keeps every byte', async t => {
  const part = fc.option(fc.uint8Array({ maxLength: 12 }), { nil: null })
  fc.assert(
    fc.property(part, part, part, (key, value, header) => {
      const record = { ...received(key, value), headers: [{ name: 'h', value: header }] }
      const line = JSON.stringify(recordToJson(record, { headers: false, metaOnly: false }))
      const back = recordFromJson(line)
      const same = (a: unknown, b: Uint8Array | null) =>
        b === null ? a === null : Buffer.compare(a as Uint8Array, b) === 0
      return same(back.key, key) && same(back.value, value) && same(back.headers[0]?.[1], header)
    }),
  )
  t.strictSame(
    recordToJson(received(bytes('k'), Uint8Array.of(0xff)), { headers: false, metaOnly: false }),
    {
      topic: 'orders',
      partition: 3,
      offset: 42,
      timestamp: 1_700_000_000_000,
      key: 'k',
      value: '/w==',
      valueEncoding: 'base64',
      headers: [
        { name: 'a', value: '1' },
        { name: 'b', value: null },
      ],
    },
  )
  const meta = recordToJson(received(null, bytes('abc')), { headers: false, metaOnly: true })
  t.match(meta, { keyBytes: -1, valueBytes: 3 })
})

t.test('JSON that is no record is refused', async t => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  for (const line of [
    '',
    'x',
    '[]',
    '1',
    '{}',
    '{"value":1,"timestamp":-1}',
    '{"value":"","headers":1}',
    '{"kye":"a","value":""}',
    '{"value":"","headers":[{"name":"a","vlaue":"b"}]}',
    '{"value":"abc","valueEncoding":"hex"}',
    '{"value":"a!","valueEncoding":"base64"}',
    `{"value":${deep}}`,
    `{"value":"","timestamp":${deep}}`,
    `{"value":"","valueEncoding":${deep}}`,
  ]) {
    t.throws(() => recordFromJson(line), { code: 'INVALID_ARGUMENT' }, line.slice(0, 80))
  }
  t.equal(String(recordFromJson('{"value":{"a":1}}').value), '{"a":1}', 'JSON values become text')
})
