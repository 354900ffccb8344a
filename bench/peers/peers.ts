/**
 * Peers: all of them by name, and the choice of a run.
 *
 * Always true: Sluice is in every choice, first; Kafka only where its address is given, for nothing
 * here starts one.
 * Used by run.ts and load.ts.
 */
import { kafkaPeers } from './kafka.ts'
import { natsPeer } from './nats.ts'
import type { Peer } from './peer.ts'
import { redis } from './redis.ts'
import { sluice } from './sluice.ts'

/** Environment: a nats-server other than the one in the PATH. */
export const natsServerVariable = 'PEERS_NATS_SERVER'

function local(): readonly Peer[] {
  return [sluice, natsPeer(process.env[natsServerVariable] ?? 'nats-server'), redis]
}

/** @throws RangeError */
export function peerNamed(name: string): Peer {
  const peer = [...local(), ...kafkaPeers('')].find(one => one.name === name)
  if (peer === undefined) throw new RangeError(`there is no peer "${name}"`)
  return peer
}

/**
 * `only`: names; "kafka" stands for its clients. `kafka`: host:port of a broker.
 * @throws Error where a name is unknown, or Kafka is wanted without an address
 */
export function choosePeers(only: readonly string[] | undefined, kafka?: string): Peer[] {
  const [own, ...others] = local()
  if (own === undefined) return []
  const foreign = kafka === undefined ? [] : kafkaPeers(kafka)
  if (only === undefined) return [own, ...others, ...foreign]
  const isWanted = ({ name }: Peer): boolean => only.includes(name.replace(/-.*/, ''))
  for (const name of only) {
    if (name === 'kafka' && kafka === undefined) throw new Error('kafka needs --kafka host:port')
    const isKnown = ['kafka', own.name, ...others.map(peer => peer.name)].includes(name)
    if (!isKnown) throw new Error(`--only: there is no peer "${name}"`)
  }
  return [own, ...others.filter(isWanted), ...foreign.filter(isWanted)]
}
