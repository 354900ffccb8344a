/**
 * Broker process: one real broker as a child process, as a user would start it; it can be killed
 * and started again on the same port and directory.
 *
 * Always true: when `startBrokerProcess` resolves the broker said that it is ready; after `kill` or
 * `stop` resolved the process is gone; a broker that does not start is an error with what it said
 * on stderr.
 * Used by the demo and by test/integration.
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
}

export interface BrokerProcess {
  readonly url: string
  /** host:port, to start the next one on the same. */
  readonly address: string
  readonly pid: number
  /** From spawn to the ready line. */
  readonly startedInMs: number
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))
const startTimeoutMs = 15_000

/** The first line of stdout, or an error with what stderr said. */
function readyLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    let complaints = ''
    const timer = setTimeout(() => fail('not ready in time'), startTimeoutMs)
    const fail = (why: string): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`the broker did not start (${why}): ${complaints.trim()}`))
    }
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const end = said.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      resolve(said.slice(0, end))
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      complaints = (complaints + chunk.toString()).slice(-8192)
    })
    child.once('error', error => fail(error.message))
    child.once('exit', (code, signal) => fail(`exit ${code ?? signal}`))
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
  const { dataDir, listen = '127.0.0.1:0', flags = [] } = options
  const spawnedMs = performance.now()
  const words = [launcher, 'start', '--data-dir', dataDir, '--listen', listen, ...flags]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const line = await readyLine(child)
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
    kill: async () => {
      await end(child, 'SIGKILL')
    },
    stop: () => end(child, 'SIGTERM'),
  }
}
