/**
 * Tests of the small parts: table.ts, failure.ts, words.ts, output.ts, progress.ts,
 * bounded-read.ts.
 */
import t from 'tap'
import { BoundedRead } from '../../../client/cli/bounded-read.ts'
import { CommandFailure, exitCodeOf, reportFailure } from '../../../client/cli/failure.ts'
import { wantsColour } from '../../../client/cli/output.ts'
import { Progress } from '../../../client/cli/progress.ts'
import { type Column, renderTable } from '../../../client/cli/table.ts'
import { splitShortValues } from '../../../client/cli/words.ts'
import { type ErrorCode, errorTable, SluiceError } from '../../../protocol/errors.ts'
import type { World } from '../../../protocol/world.ts'
import { FakeTerminal } from './fake-terminal.ts'

t.test('a table aligns numbers right and text left, and escapes control characters', async t => {
  const rows = [
    { name: 'a\nb', size: 5 },
    { name: 'c', size: 1000 },
  ]
  const columns: Column<(typeof rows)[number]>[] = [
    { title: 'NAME', cell: row => row.name },
    { title: 'SIZE', cell: row => row.size },
    { title: 'MORE', cell: () => 'x', wide: true },
  ]
  t.equal(renderTable(rows, columns), 'NAME    SIZE\na\\x0ab     5\nc       1000\n')
  t.match(renderTable(rows, columns, true), /^NAME {4}SIZE {2}MORE\n/)
  t.equal(renderTable([], columns), 'NAME  SIZE\n')
})

t.test('every error has an exit code, and the documented ones are right', async t => {
  for (const code of Object.keys(errorTable)) {
    const exit = exitCodeOf(code as ErrorCode)
    t.ok(exit >= 1 && exit <= 10, `${code} → ${exit}`)
  }
  t.equal(exitCodeOf('INVALID_ARGUMENT'), 2)
  t.equal(exitCodeOf('UNKNOWN_TOPIC_OR_PARTITION'), 3)
  t.equal(exitCodeOf('POLICY_VIOLATION'), 4)
  t.equal(exitCodeOf('BROKER_NOT_AVAILABLE'), 5)
  t.equal(exitCodeOf('TOPIC_ALREADY_EXISTS'), 6)
})

t.test('a failure is two lines for people and one object for programs', async t => {
  const error = new SluiceError('TOPIC_ALREADY_EXISTS', 'topic "a" exists', { hint: 'take b' })
  const plain = { json: false, verbose: false, red: (word: string) => word }
  t.strictSame(reportFailure(error, plain), {
    text: 'error: topic "a" exists (TOPIC_ALREADY_EXISTS)\nhint: take b\n',
    exitCode: 6,
  })
  const { text } = reportFailure(error, { ...plain, json: true })
  t.strictSame(JSON.parse(text), {
    error: {
      code: 'TOPIC_ALREADY_EXISTS',
      message: 'topic "a" exists',
      retriable: false,
      maybeApplied: false,
      hint: 'take b',
    },
  })
  t.equal(reportFailure(new CommandFailure(error, 7), plain).exitCode, 7)
  const unknown = reportFailure(new Error('boom'), { ...plain, verbose: true })
  t.match(unknown, { text: /boom \(UNKNOWN_SERVER_ERROR\)[\s\S]*parts\.test/, exitCode: 1 })
})

t.test('values stuck to short options are split off, and nothing else is', async t => {
  const split = (line: string) => splitShortValues(line.split(' ')).join(' ')
  t.equal(split('produce t -K: -n5 -Ha=b -o-10 -p=3'), 'produce t -K : -n 5 -H a=b -o -10 -p 3')
  t.equal(split('consume t -ej -o -5 -v'), 'consume t -ej -o -5 -v')
  t.equal(split('produce t -k -nice'), 'produce t -k -nice', 'a value may look like an option')
  t.equal(split('produce -- -K:'), 'produce -- -K:')
})

t.test('colour follows the terminal, and the usual variables win', async t => {
  const wants = (isTty: boolean, env: Record<string, string>, flag?: boolean) =>
    wantsColour(new FakeTerminal({ isTty, env }), flag)
  t.equal(wants(true, {}), true)
  t.equal(wants(false, {}), false)
  t.equal(wants(true, { NO_COLOR: '1' }), false)
  t.equal(wants(false, { FORCE_COLOR: '1' }), true)
  t.equal(wants(true, { TERM: 'dumb' }), false)
  t.equal(wants(true, {}, false), false)
})

/** A world of which only clock and timers are used; time moves when the test says so. */
function manualWorld() {
  let now = 0
  let due: { at: number; run: () => void } | null = null
  const world = {
    clock: { wallMs: () => now, monotonicMs: () => now },
    timers: {
      after: (delayMs: number, run: () => void) => {
        const timer = { at: now + delayMs, run }
        due = timer
        return {
          cancel: () => {
            if (due === timer) due = null
          },
        }
      },
    },
  } as unknown as World
  const advance = (ms: number): void => {
    const end = now + ms
    while (due !== null && due.at <= end) {
      const { at, run } = due
      now = at
      due = null
      run()
    }
    now = end
  }
  return { world, advance, isArmed: () => due !== null }
}

t.test(
  'progress appears after a second on a terminal, ten times a second, and cleans up',
  async t => {
    const terminal = new FakeTerminal({ isTty: true })
    const { world, advance, isArmed } = manualWorld()
    const progress = new Progress({ terminal, world, quiet: false, line: ms => `at ${ms}` })
    advance(900)
    t.equal(terminal.error, '')
    advance(300)
    t.equal(terminal.error.split('\r\u001b[2K').slice(1).join('|'), 'at 1000|at 1100|at 1200')
    progress.stop()
    t.ok(terminal.error.endsWith('\r\u001b[2K'), 'the line is taken away')
    t.notOk(isArmed(), 'no timer is left')
  },
)

t.test('progress is a line each ten seconds elsewhere, and none under -q or in CI', async t => {
  const { world, advance } = manualWorld()
  const plain = new FakeTerminal()
  new Progress({ terminal: plain, world, quiet: false, line: ms => `at ${ms}` })
  advance(20_000)
  t.equal(plain.error, 'at 10000\nat 20000\n')
  for (const [quiet, env] of [
    [true, {}],
    [false, { CI: '1' }],
  ] as const) {
    const silent = new FakeTerminal({ env })
    new Progress({ terminal: silent, world, quiet, line: () => 'x' })
    advance(20_000)
    t.equal(silent.error, '')
  }
})

t.test('a note stays, takes the moving line away first, and is silent where that is', async t => {
  const { world, advance } = manualWorld()
  const line = (ms: number): string => `at ${ms}`
  const tty = new FakeTerminal({ isTty: true })
  const progress = new Progress({ terminal: tty, world, quiet: false, lineEveryMs: null, line })
  advance(1000)
  progress.note('noted')
  t.equal(tty.error, '\r\u001b[2Kat 1000\r\u001b[2Knoted\n')
  progress.stop()
  const plain = new FakeTerminal()
  const notes = new Progress({ terminal: plain, world, quiet: false, lineEveryMs: null, line })
  advance(60_000)
  notes.note('noted')
  t.equal(plain.error, 'noted\n', 'no lines of its own')
  const silent = new FakeTerminal()
  new Progress({ terminal: silent, world, quiet: true, line }).note('noted')
  t.equal(silent.error, '')
})

t.test('a bounded read is done when every partition reached its stop', async t => {
  const bounded = new BoundedRead([
    { topic: 'a', partition: 0, from: 0, to: 5 },
    { topic: 'a', partition: 1, from: 3, to: 3 },
  ])
  t.equal(bounded.done, false)
  t.equal(bounded.stopOf('a', 0), 5)
  bounded.reached('a', 0, 4)
  t.equal(bounded.done, false)
  bounded.reached('a', 0, 5)
  t.equal(bounded.done, true)
})
