/** Tests of fetch-credit.ts: the credit that was asked for is what consumers are told and ask. */
import t from 'tap'
import { startBroker } from '../../../../broker/testing/index.ts'
import { fetchCredit, mostFetchBytes } from '../../../../client/cli/bench/fetch-credit.ts'
import { runCli } from '../../../../client/cli/cli.ts'
import { clientCommands } from '../../../../client/cli/commands.ts'
import { consumerSettings } from '../../../../client/consumer/consumer-settings.ts'
import type { Client } from '../../../../client/types/client.ts'
import { FakeTerminal, openReal, sluice } from '../fake-terminal.ts'

const mebibyte = 1024 * 1024
const settingsOf = (options: { fetchBytes?: number }) =>
  consumerSettings({ assign: [{ topic: 't', partition: 0 }], ...options })

t.test('the largest credit is the largest that a consumer keeps', async t => {
  t.equal(settingsOf({ fetchBytes: mostFetchBytes }).fetchBytes, mostFetchBytes)
  t.equal(settingsOf({ fetchBytes: mostFetchBytes + 1 }).fetchBytes, mostFetchBytes)
})

t.test('the buffer has room for each fetch that is under way, and is the usual one', async t => {
  for (const partitions of [1, 64, 256]) {
    const usual = { fetchBytes: 4 * mebibyte, bufferBytes: 16 * mebibyte }
    t.strictSame(fetchCredit(4 * mebibyte, partitions), usual, `${partitions} partitions`)
    t.equal(settingsOf({}).bufferBytes, usual.bufferBytes)
  }
  t.equal(fetchCredit(32 * mebibyte, 1).bufferBytes, 128 * mebibyte)
  t.equal(fetchCredit(4 * mebibyte, 320).bufferBytes, 20 * mebibyte)
  t.equal(fetchCredit(4 * mebibyte, 100_000).bufferBytes, 64 * mebibyte)
})

t.test('consumers of the bench get both, and the report says both', async t => {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const env = { SLUICE_SERVERS: broker.url }
  await sluice('bench produce -n 100 --keep --topic t -q'.split(' '), { env })
  const given: unknown[] = []
  const watched = (client: Client): Client =>
    new Proxy(client, {
      get: (_, name) => {
        const value = Reflect.get(client, name, client) as unknown
        if (typeof value !== 'function') return value
        return (...values: unknown[]) => {
          if (name === 'consumer') given.push(values[0])
          return Reflect.apply(value, client, values) as unknown
        }
      },
    })
  const words = 'bench consume --topic t --warmup 0 --fetch-bytes 20MiB -q -j --no-verify'.split(
    ' ',
  )
  const terminal = new FakeTerminal({ words, env })
  const open = async () => {
    const { world, connect } = await openReal()
    const watching: typeof connect = async options => watched(await connect(options))
    return { world, connect: watching }
  }
  t.equal(await runCli(words, { terminal, open }, clientCommands), 0, terminal.error)
  const both = { fetchBytes: 20 * mebibyte, bufferBytes: 80 * mebibyte }
  t.match(given, [both])
  t.match(terminal.json, both)
})
