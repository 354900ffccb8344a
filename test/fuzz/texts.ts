/**
 * Texts: what people type and write into files, put together of the words of each grammar, with
 * some that are not.
 *
 * Always true: pure of the draws.
 * Used by the target of texts.
 */
import { damaged, documentOf } from './json-text.ts'
import { hostileNames } from './messages.ts'
import type { FuzzRandom } from './random.ts'

const offsetWords = [
  ...['start', 'end', 'earliest', 'latest', 'beginning', ':', ':', ':', '@', '+', '-', 's@', 'e@'],
  ...['now', '1h', '250ms', '7d', '2026-11-01', 'T08:30', 'Z', ':00', '.250', '+01:00', '-00:59'],
  ...['1790000000', '1790000000000', '9999999999999999', '0000-01-01', '9999-12-31T23:59', '500'],
]
const unitWords = ['1', '2.5', '0', '.5', '1e3', 'k', 'K', 'M', 'KiB', 'mb', 'GiB', 'ms', 's', 'd']
const formatWords = [
  ...['%t', '%p', '%o', '%d', '%T', '%k', '%v', '%K', '%V', '%h', '%H', '%%', '%', '{hex}', '{'],
  ...['{base64}', '{json}', '{text}', '{constructor}', '\\n', '\\t', '\\x1f', '\\', ' ', '=', '|'],
]
const dataWords = [
  'a',
  'key',
  '=',
  ' ',
  '\n',
  '\t',
  '|',
  '0',
  '7f',
  'YQ==',
  '"x"',
  'h=1,g',
  '\u001f',
]
const configDocuments = [
  { 'data.dir': '/var/lib/sluice', listen: '127.0.0.1:0', topic: { 'retention.ms': '7d' } },
  { 'max.frame.bytes': '32MiB', 'allowed.hosts': ['a', 'b'], insecure: true, 'broker.id': 3 },
].map(documentOf)
const configNames = ['data', 'dir', 'topic', 'flush', 'listen', 'max.in.flight.requests', 'segment']
const recordDocuments = [
  { topic: 't', partition: 0, offset: 5, timestamp: 17, key: 'k', value: 'v' },
  { key: 'AAH/', keyEncoding: 'base64', value: null, headers: [{ name: 'h', value: 'x' }] },
].map(documentOf)
const recordNames = ['key', 'value', 'keyEncoding', 'valueEncoding', 'headers', 'timestamp', 'name']

function joined(words: readonly string[], random: FuzzRandom): string {
  let text = ''
  for (let n = 1 + random.below(7); n > 0; n--) {
    const other = random.oneIn(2) ? String(random.edge()) : random.pick(hostileNames)
    text += random.oneIn(12) ? other : random.pick(words)
  }
  if (!random.oneIn(8)) return text
  const at = random.below(text.length + 1)
  return text.slice(0, at) + String.fromCharCode(random.below(0x250)) + text.slice(at)
}

const manyTimes = (text: string, random: FuzzRandom): string =>
  random.oneIn(200) ? text.repeat(random.between(2, 3000)) : text

export const makers: Readonly<Record<string, (random: FuzzRandom) => string>> = {
  offsets: random => manyTimes(joined(offsetWords, random), random),
  units: random => manyTimes(joined(unitWords, random), random),
  print: random => manyTimes(joined(formatWords, random), random),
  // A format, a zero byte, what is read by it.
  read: random => {
    const data = Array.from({ length: 1 + random.below(5) }, () => joined(dataWords, random))
    return `${joined(formatWords, random)}\0${data.join('\n')}`
  },
  config: random => damaged(random.pick(configDocuments), random, configNames),
  record: random => damaged(random.pick(recordDocuments), random, recordNames),
}
