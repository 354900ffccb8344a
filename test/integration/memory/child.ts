/**
 * Child: a process of our own that answers questions, and its side of that.
 *
 *   parent: child.ask('usage', true) ── IPC ──> child: answerParent({ usage: full => … })
 *
 * Always true: a question that throws in the child throws in the parent; a child that ends rejects
 * what is still asked; it ends when its parent does.
 * Used by the memory lane and by the hostile clients, which must be measured, stopped and killed
 * from outside.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

interface Question {
  readonly id: number
  readonly ask: string
  readonly argument: unknown
}
interface Reply {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

export type Answers = Readonly<Record<string, (argument: never) => unknown>>

/** Child's side: answers each question by the function of its name. */
export function answerParent(answers: Answers): void {
  process.on('message', ({ id, ask, argument }: Question) => {
    const reply = (message: Omit<Reply, 'id'>): void => void process.send?.({ id, ...message })
    const answerOne = async (): Promise<unknown> => {
      const work = answers[ask]
      if (work === undefined) throw new Error(`nobody answers "${ask}"`)
      return await work(argument as never)
    }
    answerOne().then(
      answer => reply({ answer }),
      error =>
        reply({ error: error instanceof Error ? (error.stack ?? error.message) : `${error}` }),
    )
  })
  // Opened at its first use, which is not to look like something left behind.
  if (process.stderr.destroyed) return
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.send?.({ id: 0, answer: 'ready' })
}

/** The rest of a start: where it fails, what was started already ends too. */
export async function orEnd<T>(started: AsyncDisposable, rest: () => Promise<T>): Promise<T> {
  try {
    return await rest()
  } catch (error) {
    await started[Symbol.asyncDispose]()
    throw error
  }
}

export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void }
  >()
  #lastId = 0

  private constructor(child: ChildProcess) {
    this.#process = child
    child.on('message', ({ id, answer, error }: Reply) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(answer)
      else waiting?.reject(new Error(error))
    })
    child.on('exit', (code, signal) => {
      const error = new Error(`a child ended with ${code ?? signal}`)
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    })
  }

  /** `program` is beside this folder's compiled files, such as `./measured-broker.js`. */
  static async start(program: URL, words: readonly string[] = []): Promise<Child> {
    const process_ = fork(fileURLToPath(program), [...words], {
      execArgv: ['--expose-gc', '--enable-source-maps'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const child = new Child(process_)
    const ready = new Promise<Child>((resolve, reject) => {
      child.#waiting.set(0, { resolve: () => resolve(child), reject })
    })
    return orEnd(child, () => ready)
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  ask<T>(ask: string, argument?: unknown): Promise<T> {
    const id = ++this.#lastId
    return new Promise<T>((resolve, reject) => {
      if (!this.#process.connected) {
        reject(new Error(`a child that ended was asked "${ask}"`))
        return
      }
      this.#waiting.set(id, { resolve: value => resolve(value as T), reject })
      this.#process.send({ id, ask, argument } satisfies Question)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }
}
