/**
 * One broker's faults: how each of them is brought about, and counted once it has struck.
 *
 * Always true: what is begun here is over after `heal`; a fault that found nothing to strike is not
 * counted.
 * Called by one-broker.ts.
 */
import { aim } from '../aim.ts'
import type { DiskFault, DiskOperation } from '../sim-disk.ts'
import type { SimWorld } from '../sim-world.ts'
import { count, failing, watched } from '../strikes.ts'
import type { Fault } from './one-broker-plan.ts'

const machine = 'broker'
const longestAimMs = 3000

export class OneBrokerFaults {
  readonly #world: SimWorld
  readonly #stopCleanly: () => Promise<boolean>
  #current: Fault = 'kill'
  #shortBefore = 0

  /** `stopCleanly` answers whether there was a broker to stop. */
  constructor(world: SimWorld, stopCleanly: () => Promise<boolean>) {
    this.#world = world
    this.#stopCleanly = stopCleanly
  }

  async inflict(fault: Fault): Promise<void> {
    const { random, network } = this.#world
    const disk = this.#world.diskOf(machine)
    const node = random.pick(['producer', 'reader'])
    this.#current = fault
    this.#shortBefore = disk.shortOfRoom
    const kill = () => this.#end(() => this.#world.crashProcess(machine))
    const losePower = () => this.#end(() => this.#world.powerLoss(machine))
    const faults: Record<Fault, () => unknown> = {
      kill,
      powerLoss: losePower,
      killBesideDiskCall: () => this.#aimed(kill),
      powerLossBesideDiskCall: () => this.#aimed(losePower),
      cleanStop: async () => this.#countIf(await this.#stopCleanly()),
      cut: () => this.#at(() => network.cut(node, machine)),
      oneWay: () => this.#at(() => this.#cutOneWay(node)),
      reset: () => this.#at(() => network.reset(node, machine)),
      slowDisk: () => this.#spoil(() => ({ delayMs: random.exponential(100) })),
      fullDisk: () => {
        disk.capacityBytes = disk.usedBytes + random.below(3000)
      },
      failedSync: () => this.#spoil(failing('sync', 1)),
      failedWrite: () => this.#spoil(failing('write', 1)),
      // Of one sector that was read wrong once, or of a disk that answers nothing for a while.
      failedRead: () => this.#spoil(failing('read', random.pick([1, Infinity]))),
      wallJump: () => this.#at(() => this.#world.jumpWall(machine, random.pick([-1, 1]) * 600_000)),
    }
    await faults[fault]()
  }

  heal(): void {
    const disk = this.#world.diskOf(machine)
    this.#countIf(disk.shortOfRoom > this.#shortBefore)
    this.#shortBefore = disk.shortOfRoom
    disk.fault = undefined
    disk.capacityBytes = 2 ** 40
    this.#world.network.healAll()
  }

  /** Waits for the call that it is aimed at, or most of these would be healed before they strike. */
  async #aimed(strike: () => void): Promise<void> {
    let hasStruck = false
    aim(this.#world, this.#world.diskOf(machine), () => {
      hasStruck = true
      strike()
    })
    for (let waitedMs = 0; waitedMs < longestAimMs && !hasStruck; waitedMs += 50) {
      await this.#world.sleep(50)
    }
  }

  #end(strike: () => void): void {
    this.#countIf(this.#world.isRunning(machine))
    strike()
  }

  #spoil(fault: (operation: DiskOperation) => DiskFault | undefined): void {
    this.#world.diskOf(machine).fault = watched(fault, () => this.#countIf(true))
  }

  /** What takes effect at once. */
  #at(strike: () => void): void {
    this.#countIf(true)
    strike()
  }

  #countIf(hasStruck: boolean): void {
    if (hasStruck) count(this.#world.strikes, this.#current)
  }

  #cutOneWay(node: string): void {
    const { random, network } = this.#world
    if (random.chance(0.5)) network.cutOneWay(node, machine)
    else network.cutOneWay(machine, node)
  }
}
