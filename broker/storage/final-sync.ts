/**
 * Final sync: an fsync whose failure is never taken for a full disk.
 *
 * Always true: after a failed fsync, ENOSPC included, the kernel counts the pages as clean: a
 * second fsync says ok and the bytes are not there (S1). So it must never be mistaken for a write
 * that found no room and may be tried again. Called wherever this room makes something durable.
 */
import { DiskError } from '../world/disk.ts'

/** An fsync that failed: of kind `io` whatever the disk called it. The process must end. */
export class SyncFailure extends DiskError {
  constructor(cause: DiskError) {
    super('io', cause.path, `fsync failed: ${cause.message}`, cause)
  }
}

/** @throws SyncFailure */
export async function finalSync(sync: Promise<void>): Promise<void> {
  try {
    await sync
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new SyncFailure(error)
  }
}
