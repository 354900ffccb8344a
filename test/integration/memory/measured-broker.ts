/**
 * Measured broker: one real broker (real disk, real sockets) in a process of its own that tells
 * what it holds.
 *
 *   words: the config as JSON      asks: start · usage · close · hangSyncs · releaseSyncs
 *
 * Always true: without hangSyncs the disk is the one of `sluice start`, unchanged; its timers are
 * the real ones, counted; after `close` the process lives on, so that it can be seen what the
 * broker
 * left behind.
 * Started by MeasuredBroker in broker-child.ts.
 */
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'
import { type Broker, createBroker } from '../../../broker/server/broker.ts'
import { NodeDisk } from '../../../broker/world/node-disk.ts'
import { RealProcess } from '../../../broker/world/real-process.ts'
import { type DiskHooks, FaultDisk } from '../../support/fault-disk.ts'
import { answerParent } from './child.ts'
import { countedWorld } from './counted-world.ts'
import { usageNow } from './usage.ts'

const config = JSON.parse(process.argv[2] ?? '{}') as BrokerConfigInput
const mayHang = process.argv[3] === 'may-hang'
const state: { broker: Broker | null; release: () => void } = { broker: null, release: () => {} }
const hooks: DiskHooks = {}

answerParent({
  start: async () => {
    const disk = mayHang ? new FaultDisk(new NodeDisk(), hooks) : new NodeDisk()
    const world = { ...(await countedWorld()), disk, process: new RealProcess() }
    state.broker = await createBroker(config, world)
    return state.broker.url
  },
  usage: usageNow,
  close: () => state.broker?.close(),
  hangSyncs: () => {
    const released = new Promise<void>(resolve => {
      state.release = resolve
    })
    hooks.hold = name => (name === 'sync' ? released : undefined)
  },
  releaseSyncs: () => {
    delete hooks.hold
    state.release()
  },
})
