/**
 * Text: the grammars of the command line and of the config file. What is understood is a safe
 * number, a range that goes forward, a record that comes back as it was; the rest is
 * INVALID_ARGUMENT.
 */
import { loadBrokerConfig } from '../../../broker/config/load-config.ts'
import {
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseDurationMs,
} from '../../../broker/config/units.ts'
import { parseTime, showTime } from '../../../client/cli/calendar.ts'
import { type Edge, parseOffsetRange, resolveRange } from '../../../client/cli/offset-range.ts'
import { compilePrintFormat, type RawRecord } from '../../../client/cli/print-format.ts'
import { type ReadRecord, RecordReader } from '../../../client/cli/read-format.ts'
import { recordFromJson, recordToJson } from '../../../client/cli/record-json.ts'
import {
  parseCount,
  parseDuration,
  parseSize,
  parseWhole,
  showDuration,
  showNumber,
  showSize,
} from '../../../client/cli/units.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { inPieces, mutated } from '../mutate.ts'
import { FuzzRandom } from '../random.ts'
import { asyncVerdictOf, Broken, defaults, require, type Target } from '../target.ts'
import { makers } from '../texts.ts'

const nowMs = 1_790_000_000_000
const cuts = new FuzzRandom()
const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const sample: RawRecord = {
  topic: 'orders',
  partition: 1,
  offset: 7,
  timestamp: 1_790_000_000_123,
  key: bytes('k'),
  value: null,
  headers: [{ name: 'h', value: Uint8Array.of(255) }],
  raw: { key: bytes('k'), value: null },
}

function requireEdge(edge: Edge | null): void {
  if (edge === null) return
  const numbers = Object.values(edge).filter(value => typeof value === 'number')
  require(numbers.every(isWhole), () => `an edge ${JSON.stringify(edge)}`)
}

function offsets(text: string): void {
  const time = parseTime(text, nowMs)
  if (time !== null) {
    require(isWhole(time), () => `the time ${time}`)
    const shown = showTime(time)
    require(parseTime(shown, nowMs) === time || time >= 253_402_300_800_000, () => shown)
  }
  const range = parseOffsetRange(text, nowMs)
  requireEdge(range.from)
  requireEdge(range.to)
  const { from, to } = resolveRange(range, { start: 5, end: 90 }, () => 30)
  require(from >= 0 && (to === null || to >= 0), () => `from ${from} to ${to}`)
}

function units(text: string): void {
  for (const parse of [parseBytes, parseDurationMs]) {
    const amount = parse(text)
    if (amount === null) continue
    require(Number.isSafeInteger(amount), () => `the amount ${amount}`)
    const shown = parse === parseBytes ? formatBytes(amount) : formatDurationMs(amount)
    require(parse(shown) === amount, () => `${amount} is shown as ${shown}`)
  }
  let refusal: unknown
  for (const parse of [parseCount, parseSize, parseDuration, parseWhole]) {
    try {
      const value = parse(text)
      require(isWhole(value), () => `the number ${value}`)
      for (const show of [showNumber, showSize, showDuration]) require(show(value) !== '', () => '')
      return
    } catch (error) {
      if (!SluiceError.is(error)) throw error
      refusal = error
    }
  }
  throw refusal
}

function print(text: string): void {
  const parts = compilePrintFormat(text)(sample)
  require(parts.every(part => part instanceof Uint8Array), () => 'output that is no bytes')
}

const latin1 = (one: string | Uint8Array | null): string | null =>
  one === null ? null : Buffer.from(one as Uint8Array).toString('latin1')

/** Records as text that is the same for the same bytes. */
const shown = (records: readonly ReadRecord[]): string =>
  JSON.stringify(
    records.map(({ key, value, headers, topic, partition, timestamp = 0 }) => [
      ...[topic, partition, timestamp, latin1(key), latin1(value)],
      headers.map(([name, one]) => [name, latin1(one)]),
    ]),
  )

function readBy(format: string, pieces: readonly Uint8Array[]): string {
  const reader = new RecordReader(format, { maxRecordBytes: 10_000 })
  try {
    const records = pieces.flatMap(piece => reader.push(piece))
    return shown([...records, ...reader.end()])
  } catch (error) {
    if (!SluiceError.is(error)) throw error
    return error.code
  }
}

function read(text: string): void {
  const [format = '', ...rest] = text.split('\0')
  const data = bytes(rest.join('\0'))
  new RecordReader(format, { maxRecordBytes: 1 })
  cuts.restart(data.length, text.length, 0)
  const [whole, cut] = [readBy(format, [data]), readBy(format, inPieces(data, cuts))]
  require(whole === cut, () => `whole ${whole}, in pieces ${cut}`)
}

async function config(text: string): Promise<void> {
  const { values } = await loadBrokerConfig({ file: { path: 'f', text } })
  require(values.length > 10, () => 'rows are missing')
}

function record(text: string): void {
  const { key, value, timestamp = 0, headers } = recordFromJson(text)
  const fields = {
    offset: 0,
    timestamp,
    key,
    value,
    headers: headers.map(([name, one]) => ({
      name,
      value: typeof one === 'string' ? bytes(one) : one,
    })),
  }
  const json = JSON.stringify(recordToJson(fields, { headers: true, metaOnly: false }))
  const again = recordFromJson(json)
  require(shown([again]) === shown([{ key, value, timestamp, headers }]), () =>
    `came back as ${json}`)
}

const readers: readonly (readonly [string, (text: string) => void | Promise<void>])[] = [
  ['offsets', offsets],
  ['units', units],
  ['print', print],
  ['read', read],
  ['config', config],
  ['record', record],
]

function make(random: FuzzRandom): Uint8Array {
  const at = random.below(readers.length)
  const text = bytes(makers[readers[at]?.[0] ?? '']?.(random) ?? '')
  const content = random.oneIn(8) ? mutated(text, random) : text
  const input = new Uint8Array(1 + content.length)
  input[0] = at
  input.set(content, 1)
  return input
}

async function run(input: Uint8Array): Promise<string> {
  const [name, use] = readers[(input[0] ?? 0) % readers.length] ?? ['', () => {}]
  const text = new TextDecoder().decode(input.subarray(1))
  const refusal = await asyncVerdictOf(async () => use(text))
  if (!SluiceError.is(refusal)) return `${name}: understood`
  const fine = ['INVALID_ARGUMENT', 'INVALID_CONFIG', 'BAD_LISTEN_ADDRESS'].includes(refusal.code)
  if (!fine) throw new Broken(`${name} is refused as ${refusal.code}: ${refusal.message}`)
  return `${name}: refused`
}

export const text: Target = {
  ...defaults,
  name: 'text',
  reaches: [
    'offsets: understood',
    'units: understood',
    'print: understood',
    'read: understood',
    'config: understood',
    'record: understood',
    'offsets: refused',
  ],
  weight: 60_000,
  maxAllocatedBytes: 2 ** 23,
  open: async () => ({ make, run }),
}
