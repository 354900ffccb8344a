/**
 * Lane: how a command of bench/ runs and ends: by itself, by Ctrl-C or SIGTERM, or because the
 * reader of its output is gone (`| head -1`).
 *
 * Always true: every child is started with `signal`, which kills it, and every directory comes from
 * `directory`, so none of them outlives the lane, however it ends. Exit: what `play` answers, 1
 * where it throws, 2 for wrong words, 130 and 143 after a signal, 0 where nobody reads any more.
 * Used by bench/run.ts, curves/run.ts and peers/run.ts.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`)

export class Lane {
  readonly #ending = new AbortController()
  readonly #directories = new Set<string>()

  /** Aborted when the lane ends before its time. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  readonly say = (text: string): void => {
    process.stdout.write(`${text}\n`)
  }

  /**
   * A new directory below `parent`; made and noted in one turn, so that it cannot be missed.
   * @throws Error where the lane is ending
   */
  directory(parent: string, prefix: string): string {
    this.signal.throwIfAborted()
    const directory = mkdtempSync(join(parent, prefix))
    this.#directories.add(directory)
    return directory
  }

  async remove(directory: string): Promise<void> {
    // A process that was killed a moment ago may still finish its last write there.
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    this.#directories.delete(directory)
  }

  /** Kills the children, removes the directories and ends the process. */
  async end(why: string, code: number): Promise<void> {
    if (this.signal.aborted) return
    this.#ending.abort(new Error(why))
    for (const directory of [...this.#directories]) {
      await this.remove(directory).catch(error => {
        process.stderr.write(`left behind: ${directory}: ${messageOf(error)}\n`)
      })
    }
    // What the lane still waits for will not come: its servers are gone.
    process.exit(code)
  }
}

/** `readWords` throws where the words are wrong; `play` answers the exit code. */
export async function runLane<Words>(
  readWords: () => Words,
  play: (words: Words, lane: Lane) => Promise<number>,
): Promise<void> {
  const lane = new Lane()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void lane.end(`ended by ${signal}`, signalCodes[signal]))
  }
  process.stdout.on('error', () => void lane.end('nobody reads', 0))
  const fail = (error: unknown, code: number): void => {
    // The end itself says how it ends; what fails meanwhile is only its consequence.
    if (lane.signal.aborted) return
    process.stderr.write(`${code === 1 ? 'FAILED  ' : ''}${messageOf(error)}\n`)
    process.exitCode = code
  }
  let words: Words
  try {
    words = readWords()
  } catch (error) {
    fail(error, 2)
    return
  }
  try {
    process.exitCode = await play(words, lane)
  } catch (error) {
    fail(error, 1)
  }
}
