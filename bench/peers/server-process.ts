/**
 * Server process: a peer's server as a child of the lane, on a free port of loopback.
 *
 * Always true: when `startServer` resolves the port answers; after `stop` the process is gone,
 * killed if it does not go by itself, as it is when `signal` is aborted; a program that is not
 * installed is a Skip with the command that installs it.
 * Used by redis.ts and nats.ts.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Skip } from './peer.ts'

const startTimeoutMs = 10_000
const stopTimeoutMs = 5000

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}

/** What `program --version` prints, first line. @throws Skip where there is no such program */
export function programVersion(program: string, install: string): string {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0]?.trim() ?? ''
  } catch {
    throw new Skip(`${program} is not installed: ${install}`)
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

const isGone = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null

async function stop(child: ChildProcess): Promise<void> {
  if (isGone(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const alarm = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await gone
  clearTimeout(alarm)
}

/** @throws Error where it ends or does not answer in time, with the end of what it said */
export async function startServer(
  program: string,
  words: readonly string[],
  { port, signal }: { readonly port: number; readonly signal: AbortSignal },
): Promise<{ pid: number; stop(): Promise<void> }> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(program, words, { stdio: [...stdio], signal, killSignal: 'SIGKILL' })
  // Also told when `signal` has killed it; who waits for it sees that it is gone.
  child.on('error', () => {})
  const goneEarly = once(child, 'exit').catch(error => error)
  let said = ''
  const note = (chunk: Buffer): void => {
    said = (said + String(chunk)).slice(-2000)
  }
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  const endMs = performance.now() + startTimeoutMs
  while (!(await answers(port))) {
    if (isGone(child) || performance.now() > endMs) {
      await stop(child)
      throw new Error(`${program} did not start: ${said.trim() || String(await goneEarly)}`)
    }
    await pause(20)
  }
  if (child.pid === undefined) throw new Error(`${program} has no pid`)
  return { pid: child.pid, stop: () => stop(child) }
}
