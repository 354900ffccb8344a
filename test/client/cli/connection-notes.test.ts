/** Connection notes: what a command says while it waits for a broker, and when it says nothing. */
import t from 'tap'
import { ManualTime } from '../../../broker/testing/manual-time.ts'
import { type Noting, noteOutages, noteSlowConnect } from '../../../client/cli/connection-notes.ts'
import { Output, type OutputForm } from '../../../client/cli/output.ts'
import type { Client, ClientStatus } from '../../../client/types/client.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { realWorld } from '../../../protocol/real-world.ts'
import { FakeTerminal } from './fake-terminal.ts'

async function noting(form: OutputForm = 'table', quiet = false) {
  const terminal = new FakeTerminal()
  const real = await realWorld()
  const time = new ManualTime(0, real.timers)
  const context: Noting = {
    output: new Output(terminal, { form, quiet, colour: false }),
    servers: ['ws://b1', 'ws://b2'],
    world: { timers: time.timers },
  }
  return { terminal, time, context }
}

t.test('a broker that does not answer within a second is said to be waited for', async t => {
  const { terminal, time, context } = await noting()
  noteSlowConnect(context)
  time.advance(999)
  t.equal(terminal.error, '')
  time.advance(1)
  t.equal(terminal.error, 'waiting for ws://b1, ws://b2 …\n')
  noteSlowConnect(context).cancel()
  time.advance(5000)
  t.equal(terminal.error, 'waiting for ws://b1, ws://b2 …\n', 'not after it answered')
})

const cause = new SluiceError('NETWORK_ERROR', 'cut')
const outage: readonly ClientStatus[] = [
  { type: 'connected', broker: 1, url: 'ws://b1' },
  { type: 'reconnecting', url: 'ws://b1', attempt: 1, cause },
  { type: 'reconnecting', url: 'ws://b1', attempt: 2, cause },
  { type: 'connected', broker: 1, url: 'ws://b1' },
  { type: 'closed' },
]
const clientOf = (events: readonly ClientStatus[]) =>
  ({
    async *status() {
      yield* events
    },
  }) as unknown as Client

t.test('an outage is said once, and its end', async t => {
  const { terminal, context } = await noting()
  await noteOutages(clientOf(outage), context)
  t.equal(terminal.error, 'lost ws://b1 (cut), trying again\nconnected to ws://b1 again\n')
})

t.test('nothing is said in JSON output, whose stderr is JSON too, and under -q', async t => {
  for (const [form, quiet] of [
    ['json', false],
    ['jsonl', false],
    ['table', true],
  ] as const) {
    const { terminal, time, context } = await noting(form, quiet)
    noteSlowConnect(context)
    time.advance(5000)
    await noteOutages(clientOf(outage), context)
    t.equal(terminal.error, '', form)
  }
})
