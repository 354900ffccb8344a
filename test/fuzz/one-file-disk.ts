/**
 * One-file disk: a disk on which every file that is read has the same content, for the readers of
 * small files; writes go nowhere.
 *
 * Always true: every promise is settled already.
 * Used by the target of stored files.
 */
import type { Disk, DiskFile } from '../../broker/world/disk.ts'

export class OneFileDisk implements Disk {
  content: Uint8Array = new Uint8Array(0)

  async open(path: string): Promise<DiskFile> {
    const { content } = this
    return {
      path,
      read: async (position, length) => content.slice(position, position + length),
      write: async parts => parts.reduce((sum, part) => sum + part.length, 0),
      sync: async () => {},
      truncate: async () => {},
      size: async () => content.length,
      close: async () => {},
    }
  }
  async list(): Promise<string[]> {
    return []
  }
  async stat(): Promise<{ size: number; isDirectory: boolean } | null> {
    return { size: this.content.length, isDirectory: false }
  }
  async makeDirectory(): Promise<void> {}
  async rename(): Promise<void> {}
  async removeFile(): Promise<void> {}
  async removeDirectory(): Promise<void> {}
  async syncDirectory(): Promise<void> {}
  async freeBytes(): Promise<number> {
    return 2 ** 40
  }
  async lock(): Promise<{ release(): Promise<void> } | null> {
    return { release: async () => {} }
  }
}
