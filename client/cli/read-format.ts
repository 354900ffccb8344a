/**
 * Read format: `produce -f '%k %v\n'`, splits a stream of bytes into records.
 *
 *   each verb takes the bytes up to the literal after it; the literal after the last verb ends the record
 *   %t topic %p partition %d timestamp (ms) %k key %v value %h headers name=value,…   {hex} {base64} {json}
 *
 * Always true: no byte of the input is dropped: what does not fit the format is an error that names
 * the record.
 * Used by produce; print-format.ts is the twin of consume.
 */
import { usageError } from './failure.ts'
import { type Form, type FormatPart, parseFormat } from './print-format.ts'

export interface ReadRecord {
  topic?: string
  partition?: number
  timestamp?: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers: [string, string | Uint8Array | null][]
}

export interface ReadFormatOptions {
  /** A record without the key's delimiter has no key, rather than being an error. */
  readonly keyMayBeMissing?: boolean
  /** Bytes that one record may have; more without an end is an error. */
  readonly maxRecordBytes: number
}

interface ReadField {
  readonly verb: string
  readonly form: Form
  /** null = up to the end of the input. */
  readonly until: Buffer | null
}

interface Layout {
  readonly prefix: Buffer
  readonly fields: readonly ReadField[]
  /** The end of the record can be looked for first: no inner delimiter holds it. */
  readonly terminator: Buffer | null
}

function layoutOf(parts: readonly FormatPart[], format: string): Layout {
  let prefix = ''
  const fields: { verb: string; form: Form; until: string }[] = []
  for (const part of parts) {
    const last = fields.at(-1)
    if ('literal' in part) {
      if (last === undefined) prefix += part.literal
      else last.until += part.literal
    } else {
      if (last?.until === '') {
        throw usageError(
          `in "${format}" nothing stands between %${last.verb} and %${part.verb}`,
          'put a delimiter there, for example a space or a tab',
        )
      }
      fields.push({ ...part, until: '' })
    }
  }
  if (fields.length === 0)
    throw usageError(`"${format}" names no field`, "for example -f '%k %v\\n'")
  const end = fields.at(-1)?.until ?? ''
  const findable = end !== '' && fields.slice(0, -1).every(field => !field.until.includes(end))
  return {
    prefix: Buffer.from(prefix),
    fields: fields.map(f => ({ ...f, until: f.until === '' ? null : Buffer.from(f.until) })),
    terminator: findable ? Buffer.from(end) : null,
  }
}

function bytesOf(taken: Buffer, form: Form): Uint8Array | null {
  if (form === 'text') return taken
  const text = taken.toString()
  if (form === 'json') {
    const parsed: unknown = JSON.parse(text)
    if (parsed === null) return null
    if (typeof parsed !== 'string') throw new SyntaxError('a JSON string or null was expected')
    return Buffer.from(parsed)
  }
  const bytes = Buffer.from(text, form)
  const fits = form === 'hex' ? bytes.length * 2 === text.length : bytes.length > 0 || text === ''
  if (!fits) throw new SyntaxError(`${JSON.stringify(text.slice(0, 40))} is not ${form}`)
  return bytes
}

function wholeNumber(taken: Buffer): number {
  const text = taken.toString()
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new SyntaxError(`${JSON.stringify(text)} is no number`)
  return value
}

/** `a=b,c` → [['a','b'],['c',null]] */
export function parseHeaderList(text: string): [string, string | null][] {
  if (text === '') return []
  return text.split(',').map(pair => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [pair, null] : [pair.slice(0, equals), pair.slice(equals + 1)]
  })
}

function assign(record: ReadRecord, field: ReadField, taken: Buffer): void {
  switch (field.verb) {
    case 't':
      record.topic = taken.toString()
      return
    case 'p':
      record.partition = wholeNumber(taken)
      return
    case 'd':
      record.timestamp = wholeNumber(taken)
      return
    case 'k':
      record.key = bytesOf(taken, field.form)
      return
    case 'v':
      record.value = bytesOf(taken, field.form)
      return
    default:
      record.headers.push(...parseHeaderList(taken.toString()))
  }
}

/** Takes chunks, gives the records that are whole. One per input. */
export class RecordReader {
  readonly #layout: Layout
  readonly #options: ReadFormatOptions
  #pending: Buffer = Buffer.alloc(0)
  /** Read and not joined to what is pending yet. */
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  #at = 0
  #count = 0

  /** @throws SluiceError INVALID_ARGUMENT for a format that cannot be read by */
  constructor(format: string, options: ReadFormatOptions) {
    this.#layout = layoutOf(parseFormat(format, 'tpdkvh'), format)
    this.#options = options
  }

  push(chunk: Uint8Array): ReadRecord[] {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    const last = this.#layout.terminator?.at(-1)
    // No record can end in it: joining it now would copy a long record once per chunk.
    const records = last !== undefined && !chunk.includes(last) ? [] : this.#takeAll(false)
    const left = this.#pending.length - this.#at + this.#chunkBytes
    if (left > this.#options.maxRecordBytes) {
      this.#fail(`has no end within ${this.#options.maxRecordBytes} bytes`)
    }
    return records
  }

  /** What is left at the end of the input is the last record. */
  end(): ReadRecord[] {
    return this.#takeAll(true)
  }

  #takeAll(final: boolean): ReadRecord[] {
    const parts = [this.#pending.subarray(this.#at), ...this.#chunks]
    this.#pending = Buffer.concat(parts)
    this.#at = 0
    this.#chunks = []
    this.#chunkBytes = 0
    return this.#take(final)
  }

  #take(final: boolean): ReadRecord[] {
    const records: ReadRecord[] = []
    while (this.#at < this.#pending.length) {
      const record = this.#next(final)
      if (record === null) break
      this.#count++
      records.push(record)
    }
    return records
  }

  #fail(why: string): never {
    throw usageError(`record ${this.#count + 1} of the input ${why}`, 'sluice help formats')
  }

  /** One record from `#at` on, or null where more input is needed. */
  #next(final: boolean): ReadRecord | null {
    const { prefix, fields, terminator } = this.#layout
    const found = terminator === null ? -1 : this.#pending.indexOf(terminator, this.#at)
    if (found < 0 && !final) {
      if (terminator !== null) return null
    }
    const bound = found < 0 ? this.#pending.length : found
    let at = this.#at
    if (prefix.length > 0) {
      if (bound - at < prefix.length && !final) return null
      if (this.#pending.indexOf(prefix, at) !== at) this.#fail('does not start as the format says')
      at += prefix.length
    }
    const record: ReadRecord = { key: null, value: null, headers: [] }
    for (const [i, field] of fields.entries()) {
      const end = this.#endOf(field, at, i === fields.length - 1 ? this.#pending.length : bound)
      if (end >= 0) {
        this.#read(record, field, this.#pending.subarray(at, end))
        at = end + (field.until?.length ?? 0)
      } else if (!final && terminator === null) return null
      else if (field.verb === 'k' && this.#options.keyMayBeMissing === true) continue
      else if (i < fields.length - 1) this.#fail(`has no delimiter after %${field.verb}`)
      else {
        this.#read(record, field, this.#pending.subarray(at))
        at = this.#pending.length
      }
    }
    this.#at = at
    return record
  }

  #endOf(field: ReadField, at: number, bound: number): number {
    if (field.until === null) return -1
    const end = this.#pending.indexOf(field.until, at)
    return end < 0 || end > bound ? -1 : end
  }

  #read(record: ReadRecord, field: ReadField, taken: Buffer): void {
    try {
      assign(record, field, taken)
    } catch (error) {
      this.#fail(`does not fit %${field.verb}: ${(error as Error).message}`)
    }
  }
}
