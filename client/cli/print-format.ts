/**
 * Print format: `consume -f '%p:%o %T %k=%v\n'`, compiled once, run per record.
 *
 *   %t topic %p partition %o offset %d timestamp (ms) %T time (UTC) %k key %v value
 *   %K and %V bytes of key and value (−1 = null) %h headers name=value,… %H their number %% a percent sign
 *   a form may follow: %v{hex} %v{base64} %k{json};  \n \t \r \0 \\ \x1f as in C
 *
 * Always true: output is bytes, so keys and values that are not text pass unchanged.
 * Used by consume; read-format.ts is the twin of produce.
 */
import type { ReceivedHeader, ReceivedRecord } from '../types/consuming.ts'
import { showTime } from './calendar.ts'
import { usageError } from './failure.ts'

export type RawRecord = ReceivedRecord<Uint8Array, Uint8Array>
type Piece = (record: RawRecord) => Uint8Array | string
export type Form = 'text' | 'hex' | 'base64' | 'json'

export const formatVerbs: readonly (readonly [string, string])[] = [
  ['%t', 'topic'],
  ['%p', 'partition'],
  ['%o', 'offset (consume)'],
  ['%d', 'timestamp, milliseconds since 1970'],
  ['%T', 'timestamp as 2026-11-01T08:30:00.000Z (consume)'],
  ['%k', 'key'],
  ['%v', 'value'],
  ['%K', 'bytes of the key, -1 for none (consume)'],
  ['%V', 'bytes of the value, -1 for none (consume)'],
  ['%h', 'headers as name=value,name=value'],
  ['%H', 'number of headers (consume)'],
  ['%%', 'a percent sign'],
  ['%v{hex}', 'also {base64}, {json}, {text}; with %k and %v'],
  ['\\n', 'also \\t \\r \\0 \\\\ \\x1f'],
]

const forms: readonly Form[] = ['text', 'hex', 'base64', 'json']
const utf8 = new TextDecoder()

export type FormatPart =
  | { readonly literal: string }
  | { readonly verb: string; readonly form: Form }

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  '\\': '\\',
}

/** Replaces `\n`, `\x1f` …; one that is unknown is refused. */
export function unescapeText(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|[\s\S]|$)/g, (whole, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    const meant = escapes[code]
    if (meant === undefined) throw usageError(`"${whole}" is no escape`, 'sluice help formats')
    return meant
  })
}

/** Parts of a format; `verbs` = the letters that are allowed. @throws INVALID_ARGUMENT */
export function parseFormat(format: string, verbs: string): FormatPart[] {
  const parts: FormatPart[] = []
  const pattern = /%(?:(%)|([a-zA-Z])(?:\{(\w*)\})?|([\s\S]?))|([^%]+)/g
  for (const [whole, percent, verb, form = 'text', , literal] of format.matchAll(pattern)) {
    if (percent !== undefined) parts.push({ literal: '%' })
    else if (literal !== undefined) parts.push({ literal: unescapeText(literal) })
    else if (verb === undefined || !verbs.includes(verb)) {
      throw usageError(`"${whole}" in the format is unknown`, 'sluice help formats lists them')
    } else if (!forms.includes(form as Form) || (form !== 'text' && !'kv'.includes(verb))) {
      throw usageError(`"${whole}" has an unknown form`, 'forms are {hex} {base64} {json} {text}')
    } else parts.push({ verb, form: form as Form })
  }
  return parts
}

function show(bytes: Uint8Array | null, form: Form): Uint8Array | string {
  if (bytes === null) return form === 'json' ? 'null' : ''
  if (form === 'text') return bytes
  if (form === 'json') return JSON.stringify(utf8.decode(bytes))
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(form)
}

const headerText = (header: ReceivedHeader): string =>
  header.value === null ? header.name : `${header.name}=${utf8.decode(header.value)}`

function pieceOf(verb: string, form: Form): Piece {
  const pieces: Readonly<Record<string, Piece>> = {
    t: record => record.topic,
    p: record => String(record.partition),
    o: record => String(record.offset),
    d: record => String(record.timestamp),
    T: record => showTime(record.timestamp),
    k: record => show(record.raw.key, form),
    v: record => show(record.raw.value, form),
    K: record => String(record.raw.key?.byteLength ?? -1),
    V: record => String(record.raw.value?.byteLength ?? -1),
    h: record => record.headers.map(headerText).join(','),
    H: record => String(record.headers.length),
  }
  return pieces[verb] ?? (() => '')
}

/** @throws SluiceError INVALID_ARGUMENT for an unknown verb, form or escape */
export function compilePrintFormat(format: string): (record: RawRecord) => Uint8Array[] {
  const pieces = parseFormat(format, 'tpodTkvKVhH').map((part): Piece => {
    if ('verb' in part) return pieceOf(part.verb, part.form)
    return () => part.literal
  })
  return record =>
    pieces.map(piece => {
      const made = piece(record)
      return typeof made === 'string' ? Buffer.from(made) : made
    })
}
