/**
 * RunProgram: one test program, that is one Node process that prints TAP, run to its end.
 *
 * Always true: it ends. A program that says nothing for `silenceMs` is killed, and the test that
 * ran then is in its tree without a closing line. Its stderr is kept (the end of it) and shown only
 * if it failed. Called by programs.ts. Programs are run by `node` itself: tap's own command would
 * load its TypeScript loader into each, and one that hangs would take the others with it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Parser } from 'tap-parser'
import { type Problem, type TestNode, watchTap } from './tap-tree.ts'

export interface ProgramResult {
  readonly tree: TestNode
  readonly problem: Problem | null
  readonly seconds: number
}

export interface RunOptions {
  /** Where it runs; `program` is relative to this. */
  readonly folder: string
  readonly variables?: Readonly<Record<string, string>>
  /** How long one test may take, for tap. */
  readonly testTimeoutMs: number
  readonly silenceMs: number
}

const keptStderr = 8192

/** Our own environment without what an outer tap has put there, so that a test may run this too. */
function environment(options: RunOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^_?TAP(_|$)/.test(name))
  const timeout = { TAP_TIMEOUT: String(options.testTimeoutMs / 1000) }
  return { ...Object.fromEntries(inherited), ...timeout, ...options.variables }
}

export async function runProgram(program: string, options: RunOptions): Promise<ProgramResult> {
  const startedAt = performance.now()
  const parser = new Parser()
  const tree = watchTap(parser, program)
  const parsed = once(parser, 'complete')
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    cwd: options.folder,
    env: environment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let silent = false
  const alarm = setTimeout(() => {
    silent = true
    child.kill('SIGKILL')
  }, options.silenceMs)
  child.stdout.on('data', () => alarm.refresh())
  child.stdout.pipe(parser)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptStderr)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(alarm)
  await parsed
  const reason = reasonOf({ code, signal, silent, silenceMs: options.silenceMs })
  const problem = reason === null ? null : { reason, stderr, always: signal !== null }
  return { tree, problem, seconds: (performance.now() - startedAt) / 1000 }
}

function reasonOf(end: {
  code: number | null
  signal: string | null
  silent: boolean
  silenceMs: number
}): string | null {
  if (end.silent) return `said nothing for ${end.silenceMs / 1000} s and was killed`
  if (end.signal !== null) return `was ended by ${end.signal}`
  return end.code === 0 ? null : `ended with exit code ${end.code}`
}
