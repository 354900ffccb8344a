/**
 * Mortal disk: a disk as one process sees it, which may be killed while others go on with the disk.
 *
 * Always true: from its death on no call of the process has an effect, and none is answered, not
 * even one that was under way.
 * Called by the crash lane.
 */
import type { Disk, DiskFile } from '../../broker/world/disk.ts'

export function mortalDisk(disk: Disk, isAlive: () => boolean): Disk {
  const guarded = guard(disk, isAlive)
  return Object.assign(Object.create(guarded) as Disk, {
    open: async (...words: Parameters<Disk['open']>): Promise<DiskFile> =>
      guard(await guarded.open(...words), isAlive),
  })
}

function guard<T extends object>(target: T, isAlive: () => boolean): T {
  return new Proxy(target, {
    get: (object, name) => {
      const member: unknown = Reflect.get(object, name, object)
      if (typeof member !== 'function') return member
      return async (...words: unknown[]) => {
        if (!isAlive()) return never()
        const answer: unknown = await member.apply(object, words)
        return isAlive() ? answer : never()
      }
    },
  })
}

const never = (): Promise<never> => new Promise(() => {})
