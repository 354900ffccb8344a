/**
 * Aim: makes something happen shortly after a chosen call to a disk, with some files of it slower
 * than others, so that crashes fall into windows that are too small to be hit by chance: between
 * the ack of a batch and the fsync of a name, between an unlink and the checkpoint before it.
 *
 * Always true: it asks for nothing that a real machine could not do; it takes the place of the
 * disk's fault, and is called off where another takes its own.
 * Called by trouble.ts and scenarios/one-broker.ts.
 */
import type { DiskFault, DiskOperation, SimDisk } from './sim-disk.ts'
import type { SimWorld } from './sim-world.ts'

interface Target {
  readonly name: DiskOperation['name']
  readonly path: RegExp
}

/** The calls whose neighbourhood decides what a crash leaves. */
const targets: readonly Target[] = [
  { name: 'open', path: /\.log$/ },
  { name: 'write', path: /\.log$/ },
  { name: 'sync', path: /\.log$/ },
  { name: 'truncate', path: /\.log$/ },
  { name: 'remove', path: /\.log$/ },
  { name: 'write', path: /index$/ },
  { name: 'rename', path: /checkpoint|segments|producers|catalogue/ },
  { name: 'syncDirectory', path: /./ },
]

/** Files of one kind are on the slow side of the disk together. */
const kindOf = (path: string): string => /[^./]*(?:\.tmp)?$/.exec(path)?.[0] ?? ''

/**
 * `strike` runs once, soon after one of the next calls of a drawn kind; never where the disk's
 * fault is changed before that.
 */
export function aim(world: SimWorld, disk: SimDisk, strike: () => void): void {
  const { random } = world
  const { name, path } = random.pick(targets)
  const slowMs = random.pick([0, 3, 30])
  const delayMs = random.exponential(random.pick([0.3, 2, 20]))
  let left = random.between(1, 4)
  const slow = new Map<string, boolean>()
  const fault = (operation: DiskOperation): DiskFault | undefined => {
    if (operation.name === name && path.test(operation.path) && --left === 0) {
      void world.sleep(delayMs).then(() => {
        if (disk.fault !== fault) return
        disk.fault = undefined
        strike()
      })
    }
    const kind = kindOf(operation.path)
    const isSlow = slow.get(kind) ?? random.chance(0.5)
    slow.set(kind, isSlow)
    return isSlow && slowMs > 0 ? { delayMs: random.exponential(slowMs) } : undefined
  }
  disk.fault = fault
}
