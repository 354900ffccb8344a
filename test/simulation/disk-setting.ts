/**
 * Disk setting: what the tests of power loss share: one machine with one durable empty file.
 *
 * Always true: `/data` and `/data/file` are durable when a body starts.
 * Called by power-loss.test.ts and platter.test.ts.
 */
import type { DiskFile } from '../../broker/world/disk.ts'
import type { FileLoss, PowerLossPlan } from './power-loss.ts'
import { keepEverything } from './power-loss.ts'
import { SimWorld } from './sim-world.ts'

export interface Setting {
  readonly world: SimWorld
  /** `/data/file`, empty, with durable entries. */
  readonly file: DiskFile
}

export async function onDisk(body: (setting: Setting) => Promise<void>, seed = 1): Promise<void> {
  const world = new SimWorld({ seed })
  await world.run(async () => {
    const { disk } = world.node('a')
    await disk.makeDirectory('/data')
    const file = await disk.open('/data/file', 'create')
    await disk.syncDirectory('/data')
    await disk.syncDirectory('/')
    await body({ world, file })
  })
}

export async function contentOf(world: SimWorld): Promise<Uint8Array> {
  const file = await world.node('a').disk.open('/data/file', 'read')
  const bytes = await file.read(0, await file.size())
  await file.close()
  return bytes
}

/** All entries, and of each file what `loss` says. */
export function keeping(loss: FileLoss): PowerLossPlan {
  return { ...keepEverything, loseFile: () => loss }
}

export function bits(mask: number, count: number): boolean[] {
  return Array.from({ length: count }, (_, bit) => ((mask >> bit) & 1) === 1)
}

export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value)
}
