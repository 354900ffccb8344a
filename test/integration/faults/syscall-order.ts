/**
 * Syscall order: what a broker's system calls must have been before it said that something is on
 * disk (C2). Everything else relies on the real disk being driven so.
 *
 *   ack of a batch       write of it → fdatasync of that file;  file made → fsync of its directory
 *   a file that replaces another     last write → fdatasync → rename;  before a topic is answered:
 *                                    rename of the catalogue → fsync of its directory
 *   unlink of a segment  a checkpoint with a log start above it → durable by name
 *
 * Always true: a call counts only where it had ended well before the next one began.
 * Used by syscalls.ts; a pure function of the trace.
 */
import type { TracedCall } from './strace.ts'

export interface OrderFacts {
  readonly acks: number
  readonly writes: number
  readonly syncs: number
  readonly rolls: number
  readonly replacements: number
  readonly topicsMade: number
  readonly segmentsRemoved: number
}

/** Buffers of a call, as far as they were kept. */
export function buffersOf({ text }: TracedCall): Buffer[] {
  const quoted = text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)
  return [...quoted].map(([, hex = '']) => Buffer.from(hex.replaceAll('\\x', ''), 'hex'))
}

/** The paths that a call names in quotes. */
const namesOf = (call: TracedCall): string[] => buffersOf(call).map(bytes => bytes.toString())

interface Batch {
  readonly directory: string
  readonly baseOffset: number
  readonly write: TracedCall
}

const logFile = /^(.*)\/(\d{20})\.log$/
const ack = /"partition":(\d+),"topicId":"[^"]+","baseOffset":(\d+)[^}]*"reached":"fsynced"/g
const isWrite = ({ name }: TracedCall): boolean => name.startsWith('pwrite')
const isSocket = ({ path }: TracedCall): boolean => path.startsWith('socket:')

interface Rename {
  readonly from: string
  readonly to: string
  readonly call: TracedCall
}

class Order {
  readonly #calls: readonly TracedCall[]
  readonly #topic: string
  readonly #syncs = new Map<string, TracedCall[]>()
  readonly #writes = new Map<string, TracedCall[]>()
  readonly #renames: readonly Rename[]
  /** By directory and first offset. */
  readonly #batches: ReadonlyMap<string, Batch>
  /** By path: the calls that made a log file. */
  readonly #made: ReadonlyMap<string, TracedCall>

  constructor(calls: readonly TracedCall[], topic: string) {
    this.#calls = calls.filter(call => call.result >= 0)
    this.#topic = topic
    for (const call of this.#calls) {
      const list = isWrite(call) ? this.#writes : isSync(call) ? this.#syncs : null
      list?.set(call.path, [...(list.get(call.path) ?? []), call])
    }
    this.#renames = this.#calls.filter(({ name }) => name.startsWith('rename')).map(asRename)
    const batches = this.#calls.filter(isWrite).flatMap(batchesOf)
    this.#batches = new Map(batches.map(batch => [keyOf(batch.directory, batch.baseOffset), batch]))
    const made = this.#calls.filter(({ name, text }) => name === 'openat' && makes.test(text))
    const paths = made.map((call): [string, TracedCall] => [namesOf(call)[0] ?? '', call])
    this.#made = new Map(paths.filter(([path]) => logFile.test(path)))
  }

  check(): OrderFacts {
    const answers = this.#calls.filter(isSocket)
    const acks = answers.flatMap(answer => this.#acksIn(answer))
    for (const batch of acks) this.#checkAck(batch)
    const topics = answers.filter(answer => textOf(answer).includes('"replicationFactor":'))
    for (const answer of topics) this.#checkReplaced('catalogue', answer)
    const replacements = this.#renames.filter(({ from }) => from.endsWith('.tmp'))
    for (const rename of replacements) this.#checkRename(rename)
    const unlinks = this.#calls.filter(isSegmentUnlink)
    for (const unlink of unlinks) this.#checkUnlink(unlink)
    return {
      acks: acks.length,
      writes: this.#batches.size,
      syncs: this.#calls.filter(isSync).length,
      rolls: [...this.#made.keys()].filter(path => !/\/0{20}\.log$/.test(path)).length,
      replacements: replacements.length,
      topicsMade: topics.length,
      segmentsRemoved: unlinks.length,
    }
  }

  #acksIn(answer: TracedCall) {
    return [...textOf(answer).matchAll(ack)].map(([, partition, baseOffset]) => ({
      answer,
      directory: `${this.#topic}-${partition}`,
      baseOffset: Number(baseOffset),
    }))
  }

  /** A sync of `path` between the end of one call and the begin of another. */
  #isSynced(path: string, after: TracedCall, before: TracedCall): boolean {
    const syncs = this.#syncs.get(path) ?? []
    return syncs.some(({ begunAt, endedAt }) => begunAt > after.endedAt && endedAt < before.begunAt)
  }

  #checkAck(acked: { answer: TracedCall; directory: string; baseOffset: number }): void {
    const { answer, directory, baseOffset } = acked
    const what = `the ack of offset ${baseOffset} in ${directory}`
    const batch = this.#batches.get(keyOf(directory, baseOffset))
    if (batch === undefined) throw new Error(`${what} was sent for nothing that was written`)
    const { write } = batch
    if (!this.#isSynced(write.path, write, answer)) {
      throw new Error(`${what} left before an fdatasync that covers it: ${at(answer)}`)
    }
    const made = this.#made.get(write.path)
    if (made !== undefined && !this.#isSynced(batch.directory, made, answer)) {
      throw new Error(`${what} left before the new segment had a durable name: ${at(answer)}`)
    }
  }

  #checkRename({ from, call }: Rename): void {
    const last = this.#writes.get(from)?.findLast(write => write.endedAt < call.begunAt)
    if (last === undefined || this.#isSynced(from, last, call)) return
    throw new Error(`${from} was renamed before it was synced: ${at(call)}`)
  }

  /** The last rename to that name before the answer is durable. */
  #checkReplaced(name: string, answer: TracedCall): void {
    const rename = this.#renames.findLast(
      ({ to, call }) => to.endsWith(`/${name}`) && call.endedAt < answer.begunAt,
    )
    const isDurable =
      rename !== undefined && this.#isSynced(directoryOf(rename.to), rename.call, answer)
    if (isDurable) return
    throw new Error(`${name} had no durable name before it was answered: ${at(answer)}`)
  }

  #checkUnlink(unlink: TracedCall): void {
    const [, directory = '', base = ''] = logFile.exec(namesOf(unlink)[0] ?? '') ?? []
    const durable = this.#renames.findLast(
      ({ to, call }) =>
        to.endsWith('/log-checkpoint') && this.#isSynced(directoryOf(to), call, unlink),
    )
    const writes = this.#writes.get(durable?.from ?? '') ?? []
    const written = writes.findLast(({ endedAt }) => endedAt < (durable?.call.begunAt ?? 0))
    const text = written === undefined ? '' : textOf(written)
    const starts = [...text.matchAll(/"partition":(\d+),"logStartOffset":(\d+)/g)]
    const partition = directory.slice(directory.lastIndexOf('-') + 1)
    if (starts.some(([, of, start]) => of === partition && Number(start) > Number(base))) return
    throw new Error(`segment ${base} was unlinked before the log start was durable: ${at(unlink)}`)
  }
}

const at = ({ begunAt, name }: TracedCall): string => `${name} on line ${begunAt + 1} of the trace`
const textOf = (call: TracedCall): string => Buffer.concat(buffersOf(call)).toString('latin1')
const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
const makes = /\bO_CREAT\b/
const isSync = ({ name }: TracedCall): boolean => name === 'fdatasync' || name === 'fsync'
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const keyOf = (directory: string, baseOffset: number): string =>
  `${nameOf(directory)}/${baseOffset}`

function asRename(call: TracedCall): Rename {
  const [from = '', to = ''] = namesOf(call)
  return { from, to, call }
}

/** Files of a topic that was deleted go with their directory. */
const isSegmentUnlink = (call: TracedCall): boolean =>
  call.name.startsWith('unlink') &&
  logFile.test(namesOf(call)[0] ?? '') &&
  !directoryOf(namesOf(call)[0] ?? '').endsWith('.del')

/** The batches in a write to a log: each buffer begins with one. */
function batchesOf(write: TracedCall): Batch[] {
  const [, directory] = logFile.exec(write.path) ?? []
  if (directory === undefined) return []
  return buffersOf(write)
    .filter(bytes => bytes.length >= 8)
    .map(bytes => ({ directory, baseOffset: Number(bytes.readBigInt64BE(0)), write }))
}

/** @throws Error naming the first call that came too early; `topic` is the one that was acked */
export function checkOrder(calls: readonly TracedCall[], topic: string): OrderFacts {
  return new Order(calls, topic).check()
}
