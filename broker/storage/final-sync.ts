/**
 * Final sync: an fsync whose failure is never taken for a full disk.
 *
 * Always true: after a failed fsync, ENOSPC included, the kernel counts the pages as clean: a
 * second fsync says ok and the bytes are not there (S1). So it must never be mistaken for a write
 * that found no room and may be tried again. Called wherever this room makes something durable.
 */
import { DiskError } from '../world/disk.ts'

/** @throws DiskError, of kind `io` where the sync said noSpace */
export async function finalSync(sync: Promise<void>): Promise<void> {
  try {
    await sync
  } catch (error) {
    if (!(error instanceof DiskError) || error.kind !== 'noSpace') throw error
    throw new DiskError('io', error.path, `fsync failed: ${error.message}`, error)
  }
}
