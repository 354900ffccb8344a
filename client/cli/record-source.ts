/**
 * Record source: where the records of `produce` come from: stdin, files line by line, or one file =
 * one record.
 *
 * Always true: records come in the order of the input, a chunk at a time, so memory stays bounded
 * by the chunk and the longest record.
 * Used by produce.
 */
import { untilAborted } from './abortable.ts'
import { usageError } from './failure.ts'
import { type ReadRecord, RecordReader } from './read-format.ts'
import { recordFromJson } from './record-json.ts'
import type { Terminal } from './terminal.ts'

/** What words.ts makes of a lone dash. */
const stdinPath = '/dev/stdin'
export const maxRecordBytes = 64 * 1024 * 1024

export interface SourceOptions {
  readonly files: readonly string[]
  readonly filePerRecord: boolean
  readonly jsonl: boolean
  readonly format: string
  /** The format came from -K: a line without the separator is a value without a key. */
  readonly keyMayBeMissing: boolean
  /** Constant key. */
  readonly key: Uint8Array | null
  readonly headers: readonly [string, string | null][]
  readonly emptyIsNull: boolean
}

/** `name=value`, `name=` (empty) or `name` (null). */
export const parseHeader = (text: string): [string, string | null] => {
  const equals = text.indexOf('=')
  if (equals === 0) throw usageError(`header "${text}" has no name`, 'write -H name=value')
  return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)]
}

async function wholeOf(chunks: AsyncIterable<Uint8Array>, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxRecordBytes) throw usageError(`"${path}" is too large for one record`)
  }
  return Buffer.concat(parts)
}

function readerOf(options: SourceOptions): RecordReader {
  const format = options.jsonl ? '%v\\n' : options.format
  return new RecordReader(format, { keyMayBeMissing: options.keyMayBeMissing, maxRecordBytes })
}

const utf8 = new TextDecoder()

function finish(records: ReadRecord[], options: SourceOptions): ReadRecord[] {
  const read = options.jsonl
    ? records.map(line => recordFromJson(utf8.decode(line.value ?? new Uint8Array(0))))
    : records
  for (const record of read) {
    record.key ??= options.key
    if (options.emptyIsNull && record.value?.byteLength === 0) record.value = null
    record.headers.push(...options.headers)
  }
  return read
}

/** A file that is not there is an error before the first record leaves. */
export async function requireFiles(terminal: Terminal, files: readonly string[]): Promise<void> {
  for (const path of files) if (path !== stdinPath) await terminal.requireReadable(path)
}

/**
 * Chunks of records, in order. @throws SluiceError INVALID_ARGUMENT where the input does not fit
 */
export async function* readRecords(
  terminal: Terminal,
  options: SourceOptions,
  signal: AbortSignal,
): AsyncGenerator<ReadRecord[], void, undefined> {
  if (options.filePerRecord) {
    for (const path of options.files) {
      const value = await wholeOf(terminal.readFile(path), path)
      yield finish([{ key: null, value, headers: [] }], options)
    }
    return
  }
  const inputs =
    options.files.length === 0
      ? [terminal.input()]
      : options.files.map(path => (path === stdinPath ? terminal.input() : terminal.readFile(path)))
  for (const input of inputs) {
    const reader = readerOf(options)
    for await (const chunk of untilAborted(input, signal)) yield finish(reader.push(chunk), options)
    // what was cut off by the signal is no record
    if (!signal.aborted) yield finish(reader.end(), options)
  }
}
