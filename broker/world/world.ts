/**
 * The broker's world: what both sides need, and Disk and Process.
 *
 * Always true: built once in the composition root; everything below is given it, nothing reaches
 * past it.
 */
import type { World } from '../../protocol/world.ts'
import type { Disk } from './disk.ts'
import type { Process } from './process.ts'

export interface BrokerWorld extends World {
  readonly disk: Disk
  readonly process: Process
}
