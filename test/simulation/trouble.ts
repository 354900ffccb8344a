/**
 * Trouble: what a scenario lets happen to a server and the way to it, round after round, drawn from
 * the seed.
 *
 *   calm ── a trouble begins ── lasts a while ── is healed, a dead server started ──> calm
 *
 * Always true: when it returns everything is healed, every fault is off and the server's process
 * was started; a trouble that took effect is counted in `world.strikes`.
 * Called by scenarios.
 */
import { aim } from './aim.ts'
import type { DiskFault, DiskOperation } from './sim-disk.ts'
import type { SimWorld } from './sim-world.ts'
import { count, failing, watched } from './strikes.ts'

/**
 * crash SIGKILL · power lost, both at any moment or aimed at a call to the disk · cut no message
 * passes · deaf one direction only · reset of all connections · eio one sync fails, or each · full
 * no room on the disk · slow syncs take seconds · clock the wall clock jumps · none
 */
export type TroubleKind =
  | 'crash'
  | 'power'
  | 'cut'
  | 'deaf'
  | 'reset'
  | 'eio'
  | 'full'
  | 'slow'
  | 'clock'
  | 'none'

export interface TroubleOptions {
  readonly server: string
  readonly client: string
  /** Drawn evenly; name one twice to have it more often. */
  readonly kinds: readonly TroubleKind[]
  readonly maxRounds: number
  /** Means of the exponential lengths of calm and trouble. */
  readonly calmMs: number
  readonly troubleMs: number
  /** No further round begins once this is true. */
  isOver(): boolean
  /** Starts the server's process on its machine; called when it is dead after a round. */
  start(): void
}

/** Each kind once, without `none`: what a scenario says that it may inflict. */
export function kindsOf(kinds: readonly TroubleKind[]): TroubleKind[] {
  return [...new Set(kinds)].filter(kind => kind !== 'none')
}

export async function makeTrouble(world: SimWorld, options: TroubleOptions): Promise<void> {
  const { random, network } = world
  const disk = world.diskOf(options.server)
  const { capacityBytes } = disk
  for (let round = 0; round < options.maxRounds && !options.isOver(); round++) {
    await world.sleep(random.exponential(options.calmMs))
    const shortBefore = disk.shortOfRoom
    begin(world, options, random.pick(options.kinds))
    await world.sleep(random.exponential(options.troubleMs))
    if (disk.shortOfRoom > shortBefore) count(world.strikes, 'full')
    disk.fault = undefined
    disk.capacityBytes = capacityBytes
    network.healAll()
    if (!world.isRunning(options.server)) options.start()
  }
}

function begin(world: SimWorld, { server, client }: TroubleOptions, kind: TroubleKind): void {
  const { random, network } = world
  const disk = world.diskOf(server)
  const struck = (): void => count(world.strikes, kind)
  // At any moment, or at one at which the disk is just being called.
  const strike = (end: () => void): void => {
    const counted = (): void => {
      if (world.isRunning(server)) struck()
      end()
    }
    if (random.chance(0.5)) counted()
    else aim(world, disk, counted)
  }
  const spoil = (fault: (operation: DiskOperation) => DiskFault | undefined): void => {
    disk.fault = watched(fault, struck)
  }
  const troubles: Record<TroubleKind, () => void> = {
    crash: () => strike(() => world.crashProcess(server)),
    power: () => strike(() => world.powerLoss(server)),
    cut: () => network.cut(client, server),
    deaf: () => {
      const [from, to] = random.chance(0.5) ? [client, server] : [server, client]
      network.cutOneWay(from, to)
    },
    reset: () => network.reset(client, server),
    // The next one only, as with a disk that then forgets, or each.
    eio: () => spoil(failing('sync', random.pick([1, Infinity]))),
    full: () => {
      disk.capacityBytes = disk.usedBytes + random.below(10_000)
    },
    slow: () =>
      spoil(({ name }) => (name === 'sync' ? { delayMs: random.exponential(1000) } : undefined)),
    clock: () => world.jumpWall(server, random.between(-600_000, 600_000)),
    none: () => {},
  }
  troubles[kind]()
  if (isAtOnce(kind)) struck()
}

/** What takes effect when it begins; the others wait for a call to the disk. */
function isAtOnce(kind: TroubleKind): boolean {
  return ['cut', 'deaf', 'reset', 'clock'].includes(kind)
}
