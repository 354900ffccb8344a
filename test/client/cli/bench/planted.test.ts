/** Tests that the benches find a lost, repeated, moved or changed record that was planted. */
import t, { type Test } from 'tap'
import { startBroker } from '../../../../broker/testing/index.ts'
import { Payload } from '../../../../client/cli/bench/payload.ts'
import { runCli } from '../../../../client/cli/cli.ts'
import { clientCommands } from '../../../../client/cli/commands.ts'
import type { Client } from '../../../../client/types/client.ts'
import type { OutgoingRecord, RecordAck, Topic } from '../../../../client/types/producing.ts'
import { FakeTerminal, openReal } from '../fake-terminal.ts'

type BytesRecord = OutgoingRecord<Uint8Array, Uint8Array>
type Send = (record: BytesRecord) => Promise<RecordAck>

/** Makes a send of another one; `nth` counts from 0. */
type Plant = (send: Send, record: BytesRecord, nth: number) => Promise<RecordAck>

const target = 57
const ack: RecordAck = { topic: '', partition: 0, offset: 0, timestamp: 0, reached: 'fsynced' }
const copy = ({ value }: BytesRecord): BytesRecord => ({ value: value?.slice() ?? null })

let held: BytesRecord | null = null
const plants: Readonly<Record<string, Plant>> = {
  missing: (send, record, nth) => (nth === target ? Promise.resolve(ack) : send(record)),
  repeated: async (send, record, nth) => {
    if (nth === target) void send(copy(record))
    return send(record)
  },
  outOfOrder: (send, record, nth) => {
    if (nth === target) {
      held = copy(record)
      return Promise.resolve(ack)
    }
    const sent = send(record)
    if (nth === target + 1 && held !== null) void send(held)
    return sent
  },
  corrupt: (send, record, nth) => {
    if (nth !== target) return send(record)
    const { value } = copy(record)
    if (value !== null) value[value.length - 1] = (value.at(-1) ?? 0) ^ 4
    return send({ value })
  },
}

/** A client whose records pass through the plant. */
function planted(client: Client, plant: Plant): Client {
  let nth = 0
  const topic = (name: string): Topic<Uint8Array, Uint8Array> => {
    const real = client.topic(name)
    const send: Send = record => real.send(record)
    return { ...real, name, send: record => plant(send, record, nth++) } as typeof real
  }
  const handler: ProxyHandler<Client> = {
    get: (_, name) => {
      if (name === 'topic') return topic
      const value = Reflect.get(client, name, client) as unknown
      return typeof value === 'function' ? value.bind(client) : value
    },
  }
  return new Proxy(client, handler)
}

async function run(t: Test, line: string, plant: Plant) {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const words = line.split(' ')
  const terminal = new FakeTerminal({ words, env: { SLUICE_SERVERS: broker.url } })
  const open = async () => {
    const { world, connect } = await openReal()
    return {
      world,
      connect: async (options: Parameters<typeof connect>[0]) =>
        planted(await connect(options), plant),
    }
  }
  return { code: await runCli(words, { terminal, open }, clientCommands), terminal }
}

const lines = [
  'bench produce -n 200 --window 20 -j -q',
  'bench e2e --rate 2000 -n 200 -j -q --timeout 500ms',
]
for (const line of lines) {
  for (const [fault, plant] of Object.entries(plants)) {
    t.test(`${line.slice(0, 13)} finds one record that is ${fault}`, async t => {
      held = null
      const { code, terminal } = await run(t, line, plant)
      t.equal(code, 1)
      const { verified } = terminal.json as { verified: Record<string, unknown> }
      t.match(verified, { [fault]: 1, isSound: false, firstFault: String })
      t.match(JSON.parse(terminal.error), { error: { message: /first: / } })
    })
  }
}

for (const value of ['random', 'json'] as const) {
  t.test(`consume finds a topic of a bench in which no ${value} record is whole`, async t => {
    const broker = await startBroker({ topics: { t: 1 } })
    t.teardown(() => broker.close())
    const { connect, world } = await openReal()
    const client = await connect({ servers: [broker.url] })
    t.teardown(() => client.close())
    const size = { min: 100, max: 100 }
    const plan = { size, value, keys: 'none', isStamped: true, isCompressed: false } as const
    const payload = new Payload(plan, 7, world.random)
    for (let i = 0; i < 100; i++) {
      const { value: bytes } = copy(payload.next())
      if (bytes !== null) bytes[50] = (bytes[50] ?? 0) ^ 4
      await client.topic('t').send({ value: bytes })
    }
    const words = 'bench consume --topic t -j -q'.split(' ')
    const terminal = new FakeTerminal({ words, env: { SLUICE_SERVERS: broker.url } })
    t.equal(await runCli(words, { terminal, open: openReal }, clientCommands), 1, terminal.text)
    t.match(terminal.json, { areStamped: true, verified: { corrupt: 100, isSound: false } })
  })
}

t.test('with --no-verify a lost record stays unseen, and the report says so', async t => {
  const plant = plants['missing'] as Plant
  const { code, terminal } = await run(t, 'bench produce -n 200 --no-verify -j -q', plant)
  t.equal(code, 0, terminal.error)
  t.match(terminal.json, { verified: null })
})
