/**
 * SimNetwork: the network between simulated machines, and the faults that a scenario may give it.
 *
 * Always true: a host name is the name of a machine; 127.0.0.1 and localhost are the caller's own.
 * A process that listens on a loopback address is not reached from another machine. Cut wires lose
 * nothing and answer nothing; a dead process's connections are reset; a machine without power
 * leaves its peers half-open.
 * Made by sim-world.ts; processes reach it through sim-network-door.ts.
 */
import type { ListenOptions } from '../../protocol/world.ts'
import type { Generation } from './generation.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimConnection } from './sim-connection.ts'
import type { LinkProfile } from './sim-links.ts'
import { SimLinks } from './sim-links.ts'

/** A process that accepts connections on a port of its machine. */
export interface Listener {
  readonly generation: Generation
  readonly machine: string
  readonly port: number
  readonly isLoopback: boolean
  readonly options: ListenOptions
  /** The accepted ends that are still open. */
  readonly accepted: Set<SimConnection>
}

const firstEphemeralPort = 49_152

export class SimNetwork {
  readonly scheduler: Scheduler
  readonly links: SimLinks
  readonly #listeners = new Map<string, Listener>()
  readonly #connections = new Map<Generation, Set<SimConnection>>()
  #nextPort = firstEphemeralPort

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler
    this.links = new SimLinks(scheduler)
  }

  /** Nothing passes between the two any more, in either direction. */
  cut(a: string, b: string): void {
    this.links.cut(a, b)
    this.links.cut(b, a)
  }

  /** What `from` sends does not reach `to`; the other direction is left alone. */
  cutOneWay(from: string, to: string): void {
    this.links.cut(from, to)
  }

  heal(a: string, b: string): void {
    this.links.heal(a, b)
    this.links.heal(b, a)
  }

  healAll(): void {
    this.links.healAll()
  }

  /**
   * Changes how messages travel from one machine to another: slower, narrower, a smaller window.
   */
  setLink(from: string, to: string, change: Partial<LinkProfile>): void {
    this.links.setProfile(from, to, change)
  }

  /** Every connection between the two is reset at both ends. */
  reset(a: string, b: string): void {
    for (const connection of this.connectionsOf(a)) {
      if (connection.peer.startsWith(`${b}:`)) connection.fail(new Error('connection reset'))
    }
  }

  /** Open ends of a machine, oldest first. */
  connectionsOf(machine: string): SimConnection[] {
    return [...this.#connections.values()]
      .flatMap(connections => [...connections])
      .filter(connection => connection.machine === machine && connection.isOpen)
  }

  /** The kernel's part of a process's death; where the machine is without power, nobody is told. */
  crashed(generation: Generation): void {
    for (const [key, listener] of this.#listeners) {
      if (listener.generation === generation) this.#listeners.delete(key)
    }
    for (const connection of this.#connections.get(generation) ?? []) {
      connection.drop('connection reset: the process of the peer died')
    }
    this.#connections.delete(generation)
  }

  /** The machine has power again. */
  booted(machine: string): void {
    this.links.powerOn(machine)
  }

  keep(connection: SimConnection): void {
    const known = this.#connections.get(connection.generation) ?? new Set()
    for (const old of known) if (!old.isOpen) known.delete(old)
    known.add(connection)
    this.#connections.set(connection.generation, known)
  }

  listenerAt(machine: string, port: number): Listener | undefined {
    return this.#listeners.get(`${machine}:${port}`)
  }

  addListener(listener: Listener): void {
    this.#listeners.set(`${listener.machine}:${listener.port}`, listener)
  }

  removeListener(listener: Listener): void {
    const key = `${listener.machine}:${listener.port}`
    if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
  }

  ephemeralPort(machine: string): number {
    do {
      this.#nextPort = this.#nextPort === 65_535 ? firstEphemeralPort : this.#nextPort + 1
    } while (this.listenerAt(machine, this.#nextPort) !== undefined)
    return this.#nextPort
  }
}
