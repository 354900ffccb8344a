/**
 * Run workload: a workload from the empty disk to its end, and a recovery from an image, each with
 * a look at every moment at which a crash may come.
 *
 * Always true: moments are numbered by the disk calls that change something; the last one comes
 * after all of them. How many images of a moment are looked at follows from the workload alone.
 * Called by explore.ts and replay.ts.
 */
import assert from 'node:assert/strict'
import { CrashDisk, type CrashOperation } from '../support/crash-disk.ts'
import type { Examiner } from './examine.ts'
import { type FlatImage, mostDiskCalls, treeOf } from './flat-disk.ts'
import { Machine } from './machine.ts'
import { operationsOf } from './operations.ts'
import { type Workload, workloadName } from './workloads.ts'

/** Instead of a loss: the process dies and the page cache stays. */
export const deathIndex = -1
/** Of one moment. */
export const mostImages = 1024
/** Of one moment of a recovery. */
export const mostNestedImages = 24

export interface Depth {
  /** One image in so many is crashed again in the middle of its recovery, */
  readonly nestedEvery: number
  /** and the first one with each set of file names. */
  readonly nestsShapes: boolean
  /** Whether the content of temporary files, which nobody reads, makes images different. */
  readonly readsTemporary: boolean
}

/** Short workloads are looked at without any shortcut, and show that the shortcuts are right. */
export function depthOf({ word }: Workload): Depth {
  if (word.length <= 1) return { nestedEvery: 1, nestsShapes: true, readsTemporary: true }
  if (word.length === 2) return { nestedEvery: 32, nestsShapes: true, readsTemporary: false }
  return { nestedEvery: 128, nestsShapes: false, readsTemporary: false }
}

export interface Moment {
  readonly machine: Machine
  readonly call: number
  /** The call that the crash comes before; null = the workload is over. */
  readonly operation: CrashOperation | null
  /** The last operation is under way or done. */
  readonly isLast: boolean
}

/** Answers whether the last operation may have changed anything. */
export async function runWorkload(
  workload: Workload,
  visit: (moment: Moment) => void,
): Promise<boolean> {
  const machine = new Machine(workload.flush, workload.pace === 'settled')
  const list = operationsOf(workload.word)
  let call = 0
  let firstCall = 0
  let isLast = list.length === 0
  machine.disk.before = operation => {
    visit({ machine, call: call++, operation, isLast })
    return undefined
  }
  await machine.begin()
  const begun: Promise<void>[] = []
  for (const [at, operation] of list.entries()) {
    isLast = at === list.length - 1
    firstCall = call
    if (machine.settles || operation.waits) await Promise.all(begun.splice(0))
    begun.push(operation.run(machine))
    if (machine.settles || operation.waits) await Promise.all(begun.splice(0))
    else await Promise.resolve()
  }
  await Promise.all(begun)
  await machine.settle()
  visit({ machine, call, operation: null, isLast })
  assert.deepEqual(machine.fixture.deaths, [], `${workloadName(workload)} ends no process`)
  const mayBeIdle = list.at(-1)?.mayBeIdle === true && workload.pace === 'settled'
  return call > firstCall || !mayBeIdle
}

/** A start on what a crash has left. */
export async function runRecovery(
  examiner: Examiner,
  image: FlatImage,
  visit: (disk: CrashDisk, call: number, operation: CrashOperation | null) => void,
): Promise<void> {
  const disk = new CrashDisk(treeOf(image))
  let call = 0
  disk.before = operation => {
    // The number of its reads was bounded when the image was examined.
    assert.ok(call < mostDiskCalls, 'the recovery never ends')
    visit(disk, call++, operation)
    return undefined
  }
  await examiner.start(disk)
  visit(disk, call, null)
}
