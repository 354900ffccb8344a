/** The broker's world: what both sides need, and Disk and Process. Built once in the composition root. */
import type { World } from '../../protocol/world.ts'
import type { Disk } from './disk.ts'
import type { Process } from './process.ts'

export interface BrokerWorld extends World {
  readonly disk: Disk
  readonly process: Process
}
