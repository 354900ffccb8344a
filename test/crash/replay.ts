/**
 * Replay: repeats one place of the crash lane and shows what there was to lose and what was found.
 *
 * Always true: it builds the very image that the place names, by the enumeration that named it.
 * Called by run.ts.
 */
import type { Platter } from '../simulation/platter.ts'
import type { CrashOperation } from '../support/crash-disk.ts'
import { Examiner } from './examine.ts'
import { type FlatImage, flatImageOf } from './flat-disk.ts'
import { keyOf, LossFinder } from './losses.ts'
import { type Found, judge, type Promised } from './promises.ts'
import {
  deathIndex,
  depthOf,
  mostImages,
  mostNestedImages,
  runRecovery,
  runWorkload,
} from './run-workload.ts'
import type { Place, Step } from './workloads.ts'

/** Answers the exit code. @throws Error where the place has no such crash */
export async function replay(place: Place): Promise<number> {
  const examiner = new Examiner()
  const [first, ...nested] = place.steps
  if (first === undefined) throw new Error('a place names a crash, as in commit/settled/a@29.0')
  const { image, promised } = await crashOf(place, first)
  try {
    let left = image
    let found = await examine(examiner, left)
    const kind = first.index === deathIndex ? 'death' : 'loss'
    const wrong = judge(found, promised, kind)
    if (wrong !== null) return failed(wrong)
    for (const step of nested) {
      left = await nestedCrashOf({ examiner, image: left, place, step })
      const again = await examine(examiner, left)
      if (withoutEpoch(again) !== withoutEpoch(found)) return failed('not what was found before')
      found = again
    }
  } catch (error) {
    return failed((error as Error).stack ?? String(error))
  }
  console.log('all promises hold here')
  return 0
}

function failed(reason: string): number {
  console.log(`FAILED: ${reason}`)
  return 1
}

const withoutEpoch = (found: Found): string =>
  JSON.stringify(found === null ? null : { ...found, epoch: 0 })

async function examine(examiner: Examiner, image: FlatImage): Promise<Found> {
  const found = await examiner.examine(keyOf(image), image)
  console.log(`the start finds: ${JSON.stringify(found)}`)
  return found
}

async function crashOf(
  { workload }: Place,
  step: Step,
): Promise<{ image: FlatImage; promised: Promised }> {
  const finder = new LossFinder(depthOf(workload).readsTemporary)
  const crashes: { image: FlatImage; promised: Promised }[] = []
  await runWorkload(workload, ({ machine, call, operation }) => {
    if (call !== step.call) return
    const { platter } = machine.disk
    const image = imageAt(platter, step, { finder, most: mostImages, operation })
    crashes.push({ image, promised: machine.promised() })
  })
  const [crash] = crashes
  if (crash === undefined) throw new Error(`the workload has no call ${step.call}`)
  console.log(`promised: ${JSON.stringify(crash.promised)}`)
  return crash
}

interface Nested {
  readonly examiner: Examiner
  readonly image: FlatImage
  readonly place: Place
  readonly step: Step
}

async function nestedCrashOf({ examiner, image, place, step }: Nested): Promise<FlatImage> {
  const finder = new LossFinder(depthOf(place.workload).readsTemporary)
  const images: FlatImage[] = []
  console.log('then, in the recovery:')
  await runRecovery(examiner, image, (disk, call, operation) => {
    if (call !== step.call) return
    images.push(imageAt(disk.platter, step, { finder, most: mostNestedImages, operation }))
  })
  const [left] = images
  if (left === undefined) throw new Error(`the recovery has no call ${step.call}`)
  return left
}

interface Look {
  readonly finder: LossFinder
  readonly most: number
  readonly operation: CrashOperation | null
}

function imageAt(platter: Platter, step: Step, { finder, most, operation }: Look): FlatImage {
  const { losses } = finder.at(platter, most)
  const isDeath = step.index === deathIndex
  const image = isDeath ? flatImageOf(platter.cachedImage()) : losses[step.index]?.build()
  if (image === undefined) throw new Error(`call ${step.call} has ${losses.length} losses`)
  const where = operation === null ? 'the end' : `${operation.name} ${operation.path}`
  console.log(`${isDeath ? 'death of the process' : 'power loss'} before ${where}`)
  const { changes, files } = platter.pending()
  for (const { kind, path, to } of changes) console.log(`  not synced: ${kind} ${path} ${to ?? ''}`)
  for (const { path, pieces } of files)
    console.log(`  not synced: ${path}, ${pieces.length} pieces`)
  showImage(image)
  return image
}

function showImage({ files, directories }: FlatImage): void {
  console.log('it leaves:')
  for (const path of [...directories].sort()) console.log(`  ${path}/`)
  for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`  ${path}  ${bytes.length} bytes${textOf(bytes)}`)
  }
}

function textOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 2000))
  return /^[\x20-\x7e\n]+$/.test(text) ? `: ${text.trimEnd().replaceAll('\n', ' | ')}` : ''
}
