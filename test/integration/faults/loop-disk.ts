/**
 * LoopDisk: a small disk of its own, in a file, whose power can be cut.
 *
 *   <workplace>/<name>.img ── loop device ── ext4 or XFS ── <workplace>/<name>/
 *
 * Always true: `cut` is what a power cut is to a file system: what it had not been told to sync, by
 * data and by name, is gone, and every call fails from then on; `remount` replays its journal, as a
 * start after a power cut would. (A page that the kernel had already written by itself may stay.)
 * Used by the power cuts; needs root and a loop device.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runTool } from './workplace.ts'

export const fileSystems = ['ext4', 'xfs'] as const
export type FileSystem = (typeof fileSystems)[number]

/** XFS wants 300 MiB at least; the file is sparse. */
const usualSize = 512 * 1024 * 1024
const formatOptions = {
  ext4: ['-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1'],
  xfs: ['-q', '-f'],
} as const

export interface LoopDiskOptions {
  readonly sizeBytes?: number
  /** Words for mkfs. */
  readonly format?: readonly string[]
}

export class LoopDisk {
  /** Where its files are. */
  readonly directory: string
  readonly #fileSystem: FileSystem
  readonly #image: string

  /**
   * Formats and mounts it in a directory of a workplace.
   * @throws Error where that is not possible here
   */
  constructor(inDirectory: string, fileSystem: FileSystem, options: LoopDiskOptions = {}) {
    const { sizeBytes = usualSize, format = formatOptions[fileSystem] } = options
    this.#fileSystem = fileSystem
    this.#image = join(inDirectory, `${fileSystem}.img`)
    this.directory = join(inDirectory, fileSystem)
    const file = openSync(this.#image, 'wx')
    ftruncateSync(file, sizeBytes)
    closeSync(file)
    mkdirSync(this.directory)
    runTool(`mkfs.${fileSystem}`, [...format, this.#image])
    this.#mount()
  }

  #mount(): void {
    runTool('mount', ['-t', this.#fileSystem, '-o', 'loop', this.#image, this.directory])
  }

  /** The power goes. Without -f the journal is not flushed either. */
  cut(): void {
    runTool('xfs_io', ['-x', '-c', 'shutdown', this.directory])
  }

  /** The power is back. Nobody may use the disk meanwhile. */
  async remount(): Promise<void> {
    await this.unmount()
    this.#mount()
  }

  async unmount(): Promise<void> {
    // A process that was killed lets go of its files a moment after it is gone.
    for (let attempt = 1; ; attempt++) {
      try {
        runTool('umount', [this.directory])
        return
      } catch (error) {
        if (attempt === 50) throw error
        await sleep(20)
      }
    }
  }
}
