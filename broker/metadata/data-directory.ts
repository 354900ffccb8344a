/**
 * Data directory: taking possession of one. Create it, lock it, check its format version, read the
 * catalogue.
 *
 *   <dataDir>/.lock   format   catalogue   <topic>-<partition>/…
 *
 * Always true: nothing in the directory is read or written before the lock is held, except the lock
 * file; a directory of a newer format is left untouched.
 * Called by server/broker.ts, first of all.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { type CheckedFile, readCheckedFile, writeCheckedFile } from '../storage/checked-file.ts'
import { DiskError, type DiskLock } from '../world/disk.ts'
import type { BrokerWorld } from '../world/world.ts'
import { CatalogueStore, newerFormat } from './catalogue-store.ts'
import { newId } from './new-id.ts'

export const dataDirectoryFormat = 1

export interface DataDirectory {
  readonly store: CatalogueStore
  /** Lets the next broker in. */
  release(): Promise<void>
}

const file = (directory: string): CheckedFile => ({ directory, name: 'format', kind: 'format' })

/**
 * @throws SluiceError DATA_DIR_IN_USE, NEWER_FORMAT, DATA_DIR_UNUSABLE (not writable, damaged,
 * another broker's)
 */
export async function openDataDirectory(
  world: BrokerWorld,
  directory: string,
  brokerId: number,
): Promise<DataDirectory> {
  const lock = await wrapped(directory, () => takeLock(world, directory))
  try {
    const store = await wrapped(directory, async () => {
      await checkFormat(world, directory)
      const clusterId = newId(world.random)
      return CatalogueStore.open(world, directory, () => ({ clusterId, brokerId }))
    })
    requireOwner(store, directory, brokerId)
    return { store, release: () => lock.release() }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function wrapped<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new SluiceError(
      'DATA_DIR_UNUSABLE',
      `the data directory ${directory} cannot be used: ${error.message}`,
      { cause: error, hint: 'it must be a directory that this user may create, read and write' },
    )
  }
}

async function takeLock(world: BrokerWorld, directory: string): Promise<DiskLock> {
  await makeDurableDirectory(world, directory)
  const lock = await world.disk.lock(`${directory}/.lock`)
  if (lock !== null) return lock
  throw new SluiceError('DATA_DIR_IN_USE', `another broker works on ${directory}`, {
    hint: 'stop it, or give this one a --data-dir of its own',
  })
}

/**
 * The directory survives a power loss only if its own entry, and that of each directory above it,
 * is on disk. Which of them an earlier start may have made and not synced is unknown, so all are
 * synced.
 */
async function makeDurableDirectory({ disk }: BrokerWorld, directory: string): Promise<void> {
  await disk.makeDirectory(directory)
  let path = directory.replace(/\/+$/, '')
  for (let level = 0; path !== '' && path !== '.'; level++) {
    const slash = path.lastIndexOf('/')
    const parent = slash > 0 ? path.slice(0, slash) : slash === 0 ? '/' : '.'
    try {
      await disk.syncDirectory(parent)
    } catch (error) {
      // Directories far above are often not ours to open; whoever made those is to be trusted with
      // them.
      if (level === 0 || !(error instanceof DiskError) || error.kind !== 'denied') throw error
    }
    path = parent === '/' ? '' : parent
  }
}

async function checkFormat(world: BrokerWorld, directory: string): Promise<void> {
  const read = await readCheckedFile(world.disk, file(directory))
  if (read.state === 'damaged') {
    throw new SluiceError('DATA_DIR_UNUSABLE', `${directory}: ${read.reason}`, {
      hint: 'is this the directory of a Sluice broker?',
    })
  }
  if (read.state === 'ok' && read.version > dataDirectoryFormat) {
    throw newerFormat(directory, read.version)
  }
  if (read.state === 'missing') {
    await writeCheckedFile(world.disk, file(directory), dataDirectoryFormat, {
      writtenBy: 'sluice',
    })
  }
}

function requireOwner(store: CatalogueStore, directory: string, brokerId: number): void {
  const owner = store.current.brokerId
  if (owner === brokerId) return
  throw new SluiceError(
    'DATA_DIR_UNUSABLE',
    `${directory} belongs to broker ${owner}, this is broker ${brokerId}`,
    { hint: `start it with --broker-id ${owner}, or on another --data-dir` },
  )
}
