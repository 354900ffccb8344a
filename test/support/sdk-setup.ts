/**
 * SDK setup: a client of the real world on the real broker (memory disks), for test/integration/.
 *
 * Always true: both are closed with the test.
 */
import type { Test } from 'tap'
import { startBroker, type TestBrokerOptions } from '../../broker/testing/index.ts'
import { connect } from '../../client/client.ts'
import { type Client, type ConnectOptions, string } from '../../client/index.ts'
import { realWorld } from '../../protocol/real-world.ts'

export async function setUpSdk(
  t: Test,
  options: TestBrokerOptions = { topics: { orders: 1 } },
  connecting: Partial<ConnectOptions> = {},
) {
  const broker = await startBroker(options)
  t.teardown(() => broker.close())
  const client = await connect({ servers: broker.url, ...connecting }, await realWorld())
  t.teardown(() => client.close())
  return { broker, client }
}

/** `count` records whose values name their places, one batch each. */
export async function fill(client: Client, topic: string, partition: number, count: number) {
  const handle = client.topic(topic, { value: string() })
  for (let i = 0; i < count; i++) {
    await handle.send({ value: `${partition}/${i}`, partition, timestamp: 1000 + i })
  }
}
