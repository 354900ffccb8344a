/** Tests of the order in which bench connections weighs, opens and loads. */
import t from 'tap'
import { startBroker } from '../../../../broker/testing/index.ts'
import { runCli } from '../../../../client/cli/cli.ts'
import { clientCommands } from '../../../../client/cli/commands.ts'
import type { Client } from '../../../../client/types/client.ts'
import { FakeTerminal, openReal } from '../fake-terminal.ts'

/** What is open and was sent when somebody asks for the broker's memory. */
class Seen {
  open = 0
  sent = 0
  readonly weighed: { open: number; sent: number }[] = []

  readonly readText = async (path: string): Promise<string | null> => {
    if (path === '/proc/7/stat') return '7 (node) S 0 0 0 0 0 0 0 0 0 0 1 0 0 0'
    if (path !== '/proc/7/status') return null
    this.weighed.push({ open: this.open, sent: this.sent })
    return `VmRSS: ${1000 + 3 * this.open + 50 * this.sent} kB\n`
  }

  /** The client, counted until it is closed, and its records. */
  watch(client: Client): Client {
    this.open++
    const topic = (name: string) => {
      const real = client.topic(name)
      const send: typeof real.send = (...given) => {
        this.sent++
        return real.send(...given)
      }
      return { ...real, name, send }
    }
    const close = () => {
      this.open--
      return client.close()
    }
    return new Proxy(client, {
      get: (_, name) => {
        if (name === 'topic') return topic
        if (name === 'close') return close
        const value = Reflect.get(client, name, client) as unknown
        return typeof value === 'function' ? value.bind(client) : value
      },
    })
  }
}

t.test('connections are weighed before any load; the load alone comes without them', async t => {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const seen = new Seen()
  const line =
    'bench connections -n 40 --active 2 --rate 500 --duration 200ms --broker-pid 7 -j -q --disk none'
  const words = line.split(' ')
  const host = { readText: seen.readText }
  const terminal = new FakeTerminal({ words, env: { SLUICE_SERVERS: broker.url }, host })
  const open = async () => {
    const { world, connect } = await openReal()
    const watched: typeof connect = async options => seen.watch(await connect(options))
    return { world, connect: watched }
  }
  t.equal(await runCli(words, { terminal, open }, clientCommands), 0, terminal.error)
  const [before, after] = seen.weighed
  t.strictSame(before, { open: 3, sent: 0 })
  t.strictSame(after, { open: 43, sent: 0 })
  t.match(terminal.json, { connections: { brokerBytesPerConnection: 3 * 1024 } })
  const loads = seen.weighed.slice(2)
  t.strictSame(
    loads.map(({ open: connections }) => connections),
    [43, 43, 43, 43, 3, 3],
    'a load thrown away and one beside them, each looked at twice, then one alone',
  )
  t.equal(loads[1]?.sent, 100)
  t.equal(seen.sent, 300)
})
