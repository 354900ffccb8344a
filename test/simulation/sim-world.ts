/**
 * SimWorld: a whole simulated installation: machines with disks and clocks, the network between
 * them, and the processes that run there, all from one seed.
 *
 *   node('broker-1')         starts a process on that machine, or returns the one that runs
 *   crashProcess / die       the process is gone; the page cache stays, its connections are reset
 *   powerLoss                the machine too, until `node` starts it: only synced data is left
 *
 * Always true: two processes share nothing but the network; a process that ended acts no more.
 * Called by scenarios, through simulate.ts and run.ts.
 */
import type { Process } from '../../broker/world/process.ts'
import type { BrokerWorld } from '../../broker/world/world.ts'
import type { Compression, World } from '../../protocol/world.ts'
import { Generation } from './generation.ts'
import type { PowerLossPlan } from './power-loss.ts'
import type { DriveOptions, SchedulerOptions } from './scheduler.ts'
import { Scheduler } from './scheduler.ts'
import { SimClock } from './sim-clock.ts'
import { SimCompression } from './sim-compression.ts'
import { SimDisk } from './sim-disk.ts'
import { SimDiskDoor } from './sim-disk-door.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNetworkDoor } from './sim-network-door.ts'
import type { SimRandom } from './sim-random.ts'
import { SimTimers } from './sim-timers.ts'
import type { Strikes } from './strikes.ts'

export interface SimWorldOptions extends SchedulerOptions {
  readonly compression?: Compression
}

/** A process that ended itself by `die`. */
export interface Death {
  readonly node: string
  readonly reason: string
  readonly cause: unknown
  readonly atMs: number
}

interface Machine {
  readonly clock: SimClock
  readonly disk: SimDisk
  generation: Generation
  world: BrokerWorld
}

export class SimWorld {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  /** The scenario's own stream, for its workload and its faults. */
  readonly random: SimRandom
  readonly deaths: Death[] = []
  /** Faults of the scenario that took effect. */
  readonly strikes: Strikes = new Map()
  readonly #compression: Compression
  readonly #machines = new Map<string, Machine>()

  constructor(options: SimWorldOptions) {
    this.seed = options.seed
    this.scheduler = new Scheduler(options)
    this.network = new SimNetwork(this.scheduler)
    this.random = this.scheduler.random.stream('scenario')
    this.#compression = options.compression ?? new SimCompression()
  }

  /**
   * The running process of a machine; where none runs, a new one, on the machine's clock and disk.
   */
  node(name: string): BrokerWorld {
    const machine = this.#machines.get(name)
    if (machine === undefined) return this.#build(name).world
    if (machine.generation.alive) return machine.world
    this.network.booted(name)
    this.#start(machine, new Generation(name, machine.generation.number + 1))
    return machine.world
  }

  /** A process without a disk of its own. */
  client(name: string): World {
    const { clock, timers, random, network, compression } = this.node(name)
    return { clock, timers, random, network, compression }
  }

  /** The disk of a machine, for faults, its capacity and its content. */
  diskOf(name: string): SimDisk {
    return this.#machine(name).disk
  }

  isRunning(name: string): boolean {
    return this.#machines.get(name)?.generation.alive === true
  }

  /** Moves the wall clock of a machine. */
  jumpWall(name: string, ms: number): void {
    this.#machine(name).clock.jumpWall(ms)
  }

  /** SIGKILL: the page cache stays, the connections are reset. Fine if no process runs. */
  crashProcess(name: string): void {
    this.#end(this.#machine(name).generation)
  }

  /** The machine's power fails; what was not synced goes by `plan`, drawn where none is given. */
  powerLoss(name: string, plan?: PowerLossPlan): void {
    const { generation, disk } = this.#machine(name)
    this.network.links.powerOff(name)
    this.#end(generation)
    disk.powerLoss(plan)
  }

  /** Runs a scenario to its end in virtual time. */
  run<T>(scenario: () => Promise<T>, options: DriveOptions = {}): Promise<T> {
    return this.scheduler.drive(scenario, options)
  }

  /** Lets `ms` of virtual time pass. */
  sleep(ms: number): Promise<void> {
    return this.scheduler.sleep(ms)
  }

  /** 16 hex digits over all that happened; equal for equal seeds. */
  get digest(): string {
    return this.scheduler.digest.toString()
  }

  #end(generation: Generation): void {
    if (!generation.alive) return
    generation.end()
    this.network.crashed(generation)
  }

  #machine(name: string): Machine {
    return this.#machines.get(name) ?? this.#build(name)
  }

  #build(name: string): Machine {
    const { scheduler } = this
    const clock = new SimClock(scheduler, scheduler.random.stream(`clock/${name}`).below(1e9))
    const disk = new SimDisk({ scheduler, name })
    const generation = new Generation(name, 1)
    const machine = { clock, disk, generation, world: this.#worldOf(clock, disk, generation) }
    this.#machines.set(name, machine)
    return machine
  }

  #start(machine: Machine, generation: Generation): void {
    machine.generation = generation
    machine.world = this.#worldOf(machine.clock, machine.disk, generation)
  }

  #worldOf(clock: SimClock, disk: SimDisk, generation: Generation): BrokerWorld {
    const { name, number } = generation
    return {
      clock,
      timers: new SimTimers(this.scheduler, generation),
      random: this.scheduler.random.stream(`random/${name}/${number}`),
      network: new SimNetworkDoor(this.network, generation),
      compression: this.#compression,
      disk: new SimDiskDoor(disk, generation),
      process: this.#processOf(generation),
    }
  }

  #processOf(generation: Generation): Process {
    const die = (reason: string, cause?: unknown): void => {
      if (!generation.alive) return
      const { nowMs: atMs } = this.scheduler
      this.deaths.push({ node: generation.name, reason, cause, atMs })
      this.scheduler.forgiveThisStep()
      this.#end(generation)
    }
    return { die }
  }
}
