/**
 * Terminal: the one door of the command line to its own process: streams, files to read,
 * environment, signals, the machine's names. Commands see only this interface, so they run in tests
 * against a fake.
 *
 * Always true: nothing else in client/cli touches process, node:fs or a stream; a write after the
 * reader of stdout or stderr went away is silently dropped, and without a reader of stdout
 * `outputClosed` is aborted.
 * Made by broker/cli/main.ts.
 */
import {
  closeSync,
  constants,
  createReadStream,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { access, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '../../protocol/errors.ts'
import { noSuchFile } from './failure.ts'

export type SignalName = 'SIGINT' | 'SIGTERM'

export interface Machine {
  readonly node: string
  readonly platform: string
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryBytes: number
  /** Flags that Node itself was started with. */
  readonly nodeFlags: readonly string[]
}

/** A nameless file, gone when it is closed; its calls block, so that only the disk counts. */
export interface ScratchFile {
  write(bytes: Uint8Array, position: number): void
  /** fdatasync. */
  sync(): void
  close(): void
}

/** What a measurement asks of the machine beyond the streams. */
export interface Host {
  /** Directory of this package. */
  readonly packageDirectory: string
  /** A small text file; null where it cannot be read. */
  readText(path: string): Promise<string | null>
  /** Names in a directory; none where it cannot be read. */
  list(path: string): Promise<readonly string[]>
  /** Target of a symbolic link; null where there is none. */
  linkTarget(path: string): Promise<string | null>
  /** What this process has used so far. */
  usage(): { readonly cpuSeconds: number; readonly rssBytes: number }
  /** `isSynced`: each write is on the platter when it returns. @throws INVALID_ARGUMENT */
  scratchFile(directory: string, isSynced: boolean): ScratchFile
}

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly inputIsTty: boolean
  readonly outputIsTty: boolean
  readonly errorIsTty: boolean
  /** Aborted when the reader of stdout is gone (`| head`). */
  readonly outputClosed: AbortSignal
  /** Width of stderr in characters. */
  columns(): number
  write(text: string | Uint8Array): void
  /** Resolves when stdout took what was written, or is gone. */
  drained(): Promise<void>
  writeError(text: string): void
  input(): AsyncIterable<Uint8Array>
  /** Rejects as readFile would, before anything is read. */
  requireReadable(path: string): Promise<void>
  /** @throws CommandFailure (no such file), SluiceError INVALID_ARGUMENT (it cannot be read) */
  readFile(path: string): AsyncIterable<Uint8Array>
  /** Replaces the file. @throws SluiceError INVALID_ARGUMENT (it cannot be written) */
  writeFile(path: string, text: string): Promise<void>
  /** Asks on stderr, answers one line. */
  ask(question: string): Promise<string>
  /** Calls back for every SIGINT and SIGTERM until the returned function is called. */
  onSignal(callback: (name: SignalName) => void): () => void
  machine(): Machine
  readonly host: Host
  /** Version of this package. */
  version(): string
  /** Words of the command line, without node and script. */
  readonly words: readonly string[]
  /** Sets the exit code and lets go of stdin, so that the process ends by itself. */
  end(code: number): void
  /** Ends the process at once: for the second signal. */
  exitNow(code: number): void
}

function refused(what: 'read' | 'write', path: string, cause: unknown): SluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SluiceError('INVALID_ARGUMENT', `cannot ${what} "${path}": ${reason}`, { cause })
}

function unreadable(path: string, error: unknown): Error {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return isMissing ? noSuchFile(path) : refused('read', path, error)
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch(error => {
    throw refused('write', path, error)
  })
}

function scratchFile(directory: string, isSynced: boolean): ScratchFile {
  const path = `${directory}/.sluice-bench-${process.pid}`
  const { O_CREAT, O_EXCL, O_WRONLY, O_DSYNC } = constants
  try {
    const file = openSync(path, O_CREAT | O_EXCL | O_WRONLY | (isSynced ? O_DSYNC : 0), 0o600)
    unlinkSync(path)
    return {
      write: (bytes, position) => void writeSync(file, bytes, 0, bytes.byteLength, position),
      sync: () => fdatasyncSync(file),
      close: () => closeSync(file),
    }
  } catch (error) {
    throw refused('write', directory, error)
  }
}

/** This process and its machine. */
export const processHost: Host = {
  packageDirectory: fileURLToPath(new URL('../../..', import.meta.url)),
  readText: path => readFile(path, 'utf8').catch(() => null),
  list: path => readdir(path).catch(() => []),
  linkTarget: path => readlink(path).catch(() => null),
  usage: () => {
    const { user, system } = process.cpuUsage()
    return { cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss() }
  },
  scratchFile,
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function requireReadable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    throw unreadable(path, error)
  }
  if ((await stat(path)).isDirectory()) throw unreadable(path, 'it is a directory')
}

/** stdout or stderr, of which the reader may go away at any time. */
export class StandardStream {
  readonly #stream: Writable
  readonly #closed = new AbortController()
  readonly closed: AbortSignal = this.#closed.signal

  constructor(stream: Writable) {
    this.#stream = stream
    this.#stream.on('error', error => this.close(error))
  }

  /** Its reader is gone. */
  close(reason: unknown): void {
    this.#closed.abort(reason)
    this.#wake()
  }

  write(text: string | Uint8Array): void {
    if (!this.closed.aborted) this.#stream.write(text)
  }

  #wake: () => void = () => undefined

  async drained(): Promise<void> {
    if (this.closed.aborted || !this.#stream.writableNeedDrain) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
      this.#stream.once('drain', resolve)
    })
  }
}

/** Both go to one pipe, as with `2>&1 |`, so they lose their reader together. */
function isOneReader(): boolean {
  try {
    const [output, error] = [fstatSync(1), fstatSync(2)]
    return output.dev === error.dev && output.ino === error.ino
  } catch {
    return false
  }
}

/**
 * stderr. Who lets go of the remarks alone still wants the answer, or what is being written, so the
 * command goes on; who let go of both is told from that by the pipe.
 */
export function errorStream(
  stream: Writable,
  output: StandardStream,
  isShared: () => boolean,
): StandardStream {
  const error = new StandardStream(stream)
  error.closed.addEventListener('abort', () => {
    if (isShared()) output.close(error.closed.reason)
  })
  return error
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

function onSignal(callback: (name: SignalName) => void): () => void {
  const names: readonly SignalName[] = ['SIGINT', 'SIGTERM']
  for (const name of names) process.on(name, callback)
  return () => {
    for (const name of names) process.off(name, callback)
  }
}

function machine(): Machine {
  const processors = cpus()
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    cpu: processors[0]?.model ?? 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    nodeFlags: [...process.execArgv, ...(process.env.NODE_OPTIONS?.split(' ') ?? [])],
  }
}

function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

/** The terminal of this process. Make one per process: it listens to its streams' errors. */
export function processTerminal(): Terminal {
  const output = new StandardStream(process.stdout)
  const error = errorStream(process.stderr, output, isOneReader)
  // touching process.stdin opens it, so it is only let go of if somebody read it
  let stdinUsed = false
  return {
    env: process.env,
    inputIsTty: process.stdin.isTTY === true,
    outputIsTty: process.stdout.isTTY === true,
    errorIsTty: process.stderr.isTTY === true,
    outputClosed: output.closed,
    columns: () => process.stderr.columns ?? 80,
    write: text => output.write(text),
    drained: () => output.drained(),
    writeError: text => error.write(text),
    input: () => {
      stdinUsed = true
      return process.stdin as AsyncIterable<Buffer>
    },
    requireReadable,
    readFile: chunksOf,
    writeFile: replaceFile,
    ask,
    onSignal,
    machine,
    host: processHost,
    version,
    words: process.argv.slice(2),
    end: code => {
      process.exitCode = code
      if (stdinUsed) process.stdin.destroy()
    },
    exitNow: code => process.exit(code),
  }
}
