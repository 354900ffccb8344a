/**
 * Broker process: one real broker as a child process, as a user would start it; it can be killed
 * and started again on the same port and directory.
 *
 * Always true: when `startBrokerProcess` resolves the broker said that it is ready; after `kill`,
 * `stop` or `exited` resolved the process is gone; a broker that does not start is an error with
 * what it said on stderr.
 * Used by the demo, the lanes of bench/ and test/integration.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface BrokerProcessOptions {
  readonly dataDir: string
  /** Default 127.0.0.1:0. */
  readonly listen?: string
  /** More flags for `sluice start`. */
  readonly flags?: readonly string[]
  /**
   * Words before `node`, of a program that becomes it under the same process id (`env`,
   * `strace -D`).
   */
  readonly wrapper?: readonly string[]
  /** Variables beside our own. */
  readonly environment?: Readonly<Record<string, string>>
  /** Aborting it kills the broker, whether it is still starting or runs. */
  readonly signal?: AbortSignal
  /** Told the process id as soon as there is one. */
  readonly onSpawn?: (pid: number) => void
}

export interface BrokerProcess {
  readonly url: string
  /** host:port, to start the next one on the same. */
  readonly address: string
  readonly pid: number
  /** From spawn to the ready line. */
  readonly startedInMs: number
  /** The exit code, or the signal that ended the process; resolves when it is gone. */
  readonly exited: Promise<number | NodeJS.Signals>
  /** What it said on stderr so far; of much, the end. */
  log(): string
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))
const startTimeoutMs = 15_000
const keptLog = 256 * 1024

/** Keeps the end of what the child says on stderr. */
function keepLog(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-keptLog)
  })
  return () => text
}

/** The first line of stdout, or an error with what stderr said, when the process is gone. */
function readyLine(child: ChildProcess, log: () => string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    let why = ''
    const giveUp = (reason: string): void => {
      why = reason
      child.kill('SIGKILL')
    }
    const onAbort = (): void => giveUp('aborted')
    const timer = setTimeout(() => giveUp('not ready in time'), startTimeoutMs)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort)
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const end = said.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      resolve(said.slice(0, end))
    })
    child.once('error', error => giveUp(error.message))
    // Not `exit`: what it said last is still on its way then.
    child.once('close', (code, by) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      reject(
        new Error(`the broker did not start (${why || `exit ${code ?? by}`}): ${log().trim()}`),
      )
    })
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return child.exitCode
}

/** @throws Error where the broker does not say `ready` within 15 s */
export async function startBrokerProcess(options: BrokerProcessOptions): Promise<BrokerProcess> {
  const { dataDir, listen = '127.0.0.1:0', flags = [], wrapper = [], environment } = options
  const spawnedMs = performance.now()
  const words = [launcher, 'start', '--data-dir', dataDir, '--listen', listen, ...flags]
  const [program, ...rest] = [...wrapper, process.execPath, ...words]
  const child = spawn(program ?? process.execPath, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(environment !== undefined && { env: { ...process.env, ...environment } }),
  })
  if (child.pid !== undefined) options.onSpawn?.(child.pid)
  const log = keepLog(child)
  const exited = new Promise<number | NodeJS.Signals>(resolve => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'))
  })
  const line = await readyLine(child, log, options.signal)
  const startedInMs = performance.now() - spawnedMs
  const [, url] = /^ready (ws:\/\/\S+)/.exec(line) ?? []
  if (url === undefined || child.pid === undefined) {
    child.kill('SIGKILL')
    throw new Error(`the broker said "${line}" instead of its ready line`)
  }
  return {
    url,
    address: url.slice('ws://'.length),
    pid: child.pid,
    startedInMs,
    exited,
    log,
    kill: async () => {
      await end(child, 'SIGKILL')
    },
    stop: () => end(child, 'SIGTERM'),
  }
}
