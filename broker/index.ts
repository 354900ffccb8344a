/**
 * sluice/broker: a broker inside another program, on the real disk and network.
 *
 *   const broker = await createBroker({ dataDir: './data', listen: '127.0.0.1:0' })
 *   … connect({ servers: broker.url }) …
 *   await broker.close()
 *
 * Always true: nothing runs before `createBroker` is called, and nothing after `close` resolved; a
 * broken invariant or a failed fsync ends the whole process, because nothing else would be safe.
 * For embedders; broker/cli uses the rooms themselves.
 */
import { realWorld } from '../protocol/real-world.ts'
import type { BrokerConfigInput } from './config/broker-config.ts'
import { type Broker, type BrokerOptions, createBroker as createBrokerIn } from './server/broker.ts'
import { NodeDisk } from './world/node-disk.ts'
import { RealProcess } from './world/real-process.ts'
import type { BrokerWorld } from './world/world.ts'

export type { BrokerConfig, BrokerConfigInput } from './config/broker-config.ts'
export { renderConfigTable } from './config/config-table.ts'
export type { Broker, BrokerOptions } from './server/broker.ts'
export type { Logger } from './world/logger.ts'

/** The machine as it is. */
export async function realBrokerWorld(): Promise<BrokerWorld> {
  return { ...(await realWorld()), disk: new NodeDisk(), process: new RealProcess() }
}

/**
 * Starts a broker; it is ready when this resolves.
 * @throws SluiceError INVALID_ARGUMENT, INVALID_CONFIG, BAD_LISTEN_ADDRESS, PORT_TAKEN,
 * DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, NEWER_FORMAT
 */
export async function createBroker(
  config: BrokerConfigInput = {},
  options: BrokerOptions & { readonly world?: BrokerWorld } = {},
): Promise<Broker> {
  return createBrokerIn(config, options.world ?? (await realBrokerWorld()), options)
}
