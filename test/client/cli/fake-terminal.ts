/**
 * Fake terminal: what a command of the line sees in tests, and what it wrote.
 *
 * Always true: nothing of the real process is touched; files are those that the test gives.
 * Used by the tests of client/cli and broker/cli.
 */

import { runCli } from '../../../client/cli/cli.ts'
import type { CliContext, CommandTree } from '../../../client/cli/command.ts'
import { clientCommands } from '../../../client/cli/commands.ts'
import { noSuchFile } from '../../../client/cli/failure.ts'
import type { Host, SignalName, Terminal } from '../../../client/cli/terminal.ts'
import { connect } from '../../../client/index.ts'
import { realWorld } from '../../../protocol/real-world.ts'

export interface FakeTerminalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly isTty?: boolean
  readonly answers?: readonly string[]
  readonly columns?: number
  readonly words?: readonly string[]
  /** Instead of a machine without /proc, disk or repository. */
  readonly host?: Partial<Host>
}

/** A machine that has nothing to say, and a disk that takes no time. */
const bareHost: Host = {
  packageDirectory: '/package',
  readText: async () => null,
  list: async () => [],
  linkTarget: async () => null,
  usage: () => ({ cpuSeconds: 0, rssBytes: 0 }),
  scratchFile: () => ({ write: () => undefined, sync: () => undefined, close: () => undefined }),
}

async function* oneChunk(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}

export class FakeTerminal implements Terminal {
  readonly env: Readonly<Record<string, string>>
  readonly inputIsTty: boolean
  readonly outputIsTty: boolean
  readonly errorIsTty: boolean
  readonly words: readonly string[]
  readonly questions: string[] = []
  exitedNow: number | null = null
  ended: number | null = null
  readonly #closed = new AbortController()
  readonly outputClosed: AbortSignal = this.#closed.signal
  readonly #options: FakeTerminalOptions
  readonly #answers: string[]
  readonly #written: Uint8Array[] = []
  readonly #waiting: { text: string; resolve: () => void }[] = []
  readonly #signals = new Set<(name: SignalName) => void>()
  error = ''

  constructor(options: FakeTerminalOptions = {}) {
    this.#options = options
    this.env = options.env ?? {}
    this.inputIsTty = options.isTty === true
    this.outputIsTty = options.isTty === true
    this.errorIsTty = options.isTty === true
    this.words = options.words ?? []
    this.#answers = [...(options.answers ?? [])]
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#written)
  }
  get text(): string {
    return this.bytes.toString()
  }
  get json(): unknown {
    return JSON.parse(this.text)
  }
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }
  get isListening(): boolean {
    return this.#signals.size > 0
  }

  columns(): number {
    return this.#options.columns ?? 100
  }
  write(text: string | Uint8Array): void {
    if (this.outputClosed.aborted) return
    this.#written.push(Buffer.from(text))
    const now = this.text
    for (const wait of [...this.#waiting]) if (now.includes(wait.text)) wait.resolve()
  }
  /** Resolves when stdout holds `text`. */
  async saw(text: string): Promise<void> {
    if (this.text.includes(text)) return
    await new Promise<void>(resolve => this.#waiting.push({ text, resolve }))
  }
  async drained(): Promise<void> {}
  writeError(text: string): void {
    this.error += text
  }
  input(): AsyncIterable<Uint8Array> {
    const { input = '' } = this.#options
    return typeof input === 'string' || input instanceof Uint8Array ? oneChunk(input) : input
  }
  async requireReadable(path: string): Promise<void> {
    if (this.#options.files?.[path] === undefined) throw noSuchFile(path)
  }
  readFile(path: string): AsyncIterable<Uint8Array> {
    const content = this.#options.files?.[path]
    if (content === undefined) throw noSuchFile(path)
    return oneChunk(content)
  }
  /** What was written, by path. */
  readonly saved = new Map<string, string>()
  async writeFile(path: string, text: string): Promise<void> {
    this.saved.set(path, text)
  }
  async ask(question: string): Promise<string> {
    this.questions.push(question)
    return this.#answers.shift() ?? ''
  }
  onSignal(callback: (name: SignalName) => void): () => void {
    this.#signals.add(callback)
    return () => this.#signals.delete(callback)
  }
  signal(name: SignalName): void {
    for (const callback of [...this.#signals]) callback(name)
  }
  /** The reader of stdout goes away. */
  closeOutput(): void {
    this.#closed.abort()
  }
  machine() {
    const node = { node: 'v20.0.0', nodeFlags: [], platform: 'linux x64', kernel: '6.1' }
    return { ...node, cpu: 'test', cpus: 2, memoryBytes: 1024 }
  }
  get host(): Host {
    return { ...bareHost, ...this.#options.host }
  }
  version(): string {
    return '0.0.0'
  }
  end(code: number): void {
    this.ended = code
  }
  exitNow(code: number): void {
    this.exitedNow = code
  }
}

export interface Ran {
  readonly code: number
  readonly terminal: FakeTerminal
}

/** The real SDK on the real world. */
export async function openReal(): ReturnType<CliContext['open']> {
  const world = await realWorld()
  return { world, connect: options => connect(options, world) }
}

/** Runs `sluice …words` to its end. */
export async function sluice(
  words: readonly string[],
  options: FakeTerminalOptions = {},
  tree: CommandTree = clientCommands,
): Promise<Ran> {
  const terminal = new FakeTerminal({ words, ...options })
  const code = await runCli(words, { terminal, open: openReal }, tree)
  return { code, terminal }
}
