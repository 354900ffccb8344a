/**
 * Client setup: a manual world, a fake broker and a client connected to it, taken down with the
 * test.
 * Used by test/client/.
 */
import type { Test } from 'tap'
import { connect } from '../../client/client.ts'
import type { Client, ConnectOptions } from '../../client/types/client.ts'
import { FakeBroker } from './fake-broker.ts'
import { ManualWorld } from './manual-world.ts'

export interface Setup {
  readonly world: ManualWorld
  readonly broker: FakeBroker
  readonly client: Client
}

export async function setUp(t: Test, options: Partial<ConnectOptions> = {}): Promise<Setup> {
  const world = await ManualWorld.make()
  const broker = new FakeBroker(world)
  const client = await connect({ servers: broker.url, ...options }, world)
  t.teardown(async () => {
    await world.run(client.close())
  })
  return { world, broker, client }
}

/** A promise and the means to settle it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}
