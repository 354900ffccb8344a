/**
 * Strace: a broker whose system calls are written down, and some of which fail or dawdle.
 *
 *   strace -D -f -y … node launcher.cjs start      the broker keeps its process id and exit code
 *
 * Always true: the trace is whole when the broker's `exited` has resolved. An injected error is
 * given instead of the call, so the kernel has not done what was asked for.
 * Used by disk-errors.ts, slow-syncs.ts and syscalls.ts.
 */
import { readFileSync } from 'node:fs'

export interface StraceOptions {
  /** Where the trace goes. */
  readonly output: string
  readonly calls: readonly string[]
  /** As strace has it: `fdatasync:error=EIO:when=7`. */
  readonly inject?: string
  /** Only calls on this file, which need not be there yet. */
  readonly path?: string
  /** Bytes of each buffer that are kept, as hexadecimal. Default none. */
  readonly keptBytes?: number
}

/**
 * The counter behind `when` is one per thread: with a pool of one thread it counts the calls of the
 * process.
 */
export const oneThread = { UV_THREADPOOL_SIZE: '1' } as const

/** The words before the program. */
export function straceWords(options: StraceOptions): string[] {
  const { output, calls, inject, path, keptBytes = 0 } = options
  return [
    ...['strace', '-D', '-f', '-y', '-xx', '-o', output, '-s', `${keptBytes}`],
    ...['--seccomp-bpf', '-e', `trace=${calls.join(',')}`, '-e', 'signal=none'],
    ...(path === undefined ? [] : ['-P', path]),
    ...(inject === undefined ? [] : ['-e', `inject=${inject}`]),
  ]
}

export interface TracedCall {
  readonly name: string
  /** What -y knows of the first argument; '' where it is not a descriptor. */
  readonly path: string
  /** Between the brackets. */
  readonly text: string
  /** -1 for an error. */
  readonly result: number
  readonly isInjected: boolean
  /** Line numbers: it began at one, and had ended at the other. */
  readonly begunAt: number
  readonly endedAt: number
}

const whole = /^(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)$/
const unfinished = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/
const resumed = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)(.*)$/

/** -xx writes each byte as \xHH, in paths too. */
export function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** All calls that ended, in the order in which they ended. */
export function parseTrace(text: string): TracedCall[] {
  const calls: TracedCall[] = []
  const open = new Map<string, { readonly text: string; readonly begunAt: number }>()
  for (const [line, words] of text.split('\n').entries()) {
    const begun = unfinished.exec(words)
    if (begun !== null) {
      const [, thread, name, first = ''] = begun
      open.set(`${thread} ${name}`, { text: first, begunAt: line })
      continue
    }
    const ended = whole.exec(words) ?? resumed.exec(words)
    if (ended === null) continue
    const [, thread, name = '', rest = '', result, note = ''] = ended
    const start = words.includes('resumed>') ? open.get(`${thread} ${name}`) : undefined
    const all = (start?.text ?? '') + rest
    calls.push({
      name,
      path: unescaped(/^\d+<([^>]*)>/.exec(all)?.[1] ?? ''),
      text: all,
      result: Number(result),
      isInjected: note.includes('(INJECTED)'),
      begunAt: start?.begunAt ?? line,
      endedAt: line,
    })
  }
  return calls
}

export function readTrace(output: string): TracedCall[] {
  return parseTrace(readFileSync(output, 'latin1'))
}
