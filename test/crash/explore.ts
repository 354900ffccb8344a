/**
 * Explore: runs a workload, crashes it before each call to the disk that changes something and at
 * its end, and holds each image that a power loss or the death of the process may leave against
 * what was promised at that moment.
 *
 * Always true: the same workload gives the same moments and images in the same order, so a place
 * names one image for good. Of an image that was known, only the promises are compared.
 * Called by worker.ts, run.ts (replay) and the test.
 */
import assert from 'node:assert/strict'
import { Examiner } from './examine.ts'
import { type FlatImage, flatImageOf } from './flat-disk.ts'
import { keyOf, LossFinder } from './losses.ts'
import { type CrashKind, type Found, judge, type Promised } from './promises.ts'
import {
  deathIndex,
  depthOf,
  type Moment,
  mostImages,
  mostNestedImages,
  runRecovery,
  runWorkload,
} from './run-workload.ts'
import { withoutStacks } from './without-stacks.ts'
import { type Place, placeName, type Step, type Workload } from './workloads.ts'

export interface Failure {
  readonly place: string
  readonly reason: string
}

export interface Counts {
  workloads: number
  /** Without an effect: their longer ones are those of a shorter workload. */
  idleWorkloads: number
  moments: number
  /** All combinations of what is kept and lost. */
  combinations: number
  /** Distinct ones of each moment: what was held against promises. */
  images: number
  /** Of crashes in the middle of a recovery. */
  nestedImages: number
  /** Moments with too much pending for every combination. */
  sampledMoments: number
}

interface Candidate {
  readonly step: Step
  readonly key: string
  readonly kind: CrashKind
  readonly promised: Promised
  readonly image: FlatImage | undefined
}

/** A recovery is crashed, and so is the one after it. */
const maxNesting = 2

export class Explorer {
  readonly counts: Counts = {
    workloads: 0,
    idleWorkloads: 0,
    moments: 0,
    combinations: 0,
    images: 0,
    nestedImages: 0,
    sampledMoments: 0,
  }
  readonly examiner = new Examiner()
  readonly failures: Failure[] = []
  readonly #shapes = new Set<string>()
  readonly #onImage: () => void
  readonly #finders = { all: new LossFinder(true), read: new LossFinder(false) }

  /** `onImage`: called before each image that is checked. */
  constructor(onImage: () => void = () => {}) {
    this.#onImage = onImage
  }

  /** Answers whether the last operation did anything. */
  explore(workload: Workload): Promise<boolean> {
    return withoutStacks(() => this.#explore(workload))
  }

  async #explore(workload: Workload): Promise<boolean> {
    this.counts.workloads++
    const candidates: Candidate[] = []
    const didWork = await runWorkload(workload, moment => {
      // Crashes in what went before are those of a shorter workload.
      const isNew = moment.isLast || workload.pace === 'together'
      if (isNew) this.#collect(moment, this.#finderFor(workload), candidates)
    }).catch(error => {
      this.#fail({ workload, steps: [] }, (error as Error).stack ?? String(error))
      return true
    })
    const failedBefore = this.failures.length
    for (const candidate of candidates) {
      await this.#check(candidate, { workload, steps: [candidate.step] })
      if (this.failures.length > failedBefore) break
    }
    if (!didWork) this.counts.idleWorkloads++
    return didWork
  }

  #finderFor(workload: Workload): LossFinder {
    return depthOf(workload).readsTemporary ? this.#finders.all : this.#finders.read
  }

  #collect({ machine, call }: Moment, finder: LossFinder, into: Candidate[]): void {
    const promised = machine.promised()
    const { platter } = machine.disk
    const { losses, combinations, isComplete } = finder.at(platter, mostImages)
    this.counts.moments++
    this.counts.combinations += combinations + 1
    this.counts.images += losses.length + 1
    if (!isComplete) this.counts.sampledMoments++
    const add = (index: number, key: string, kind: CrashKind, build: () => FlatImage): void => {
      const isKnown = this.examiner.known(key) !== undefined
      const image = isKnown ? undefined : build()
      into.push({ step: { call, index }, key, kind, promised, image })
    }
    const cached = flatImageOf(platter.cachedImage())
    add(deathIndex, keyOf(cached), 'death', () => cached)
    losses.forEach(({ key, build }, index) => {
      add(index, key, 'loss', build)
    })
  }

  async #check(candidate: Candidate, place: Place): Promise<void> {
    const { key, kind, promised, image } = candidate
    this.#onImage()
    try {
      let found = this.examiner.known(key)
      if (found === undefined && image !== undefined) {
        found = await this.examiner.examine(key, image)
        await this.#crashRecovery(key, image, found, place)
      }
      const wrong = judge(found ?? null, promised, kind)
      if (wrong !== null) this.#fail(place, wrong)
    } catch (error) {
      this.#fail(place, (error as Error).stack ?? String(error))
    }
  }

  #fail(place: Place, reason: string): void {
    this.failures.push({ place: placeName(place), reason })
  }

  /** The recovery of this image, cut short at each of its calls: the next one finds the same. */
  async #crashRecovery(key: string, image: FlatImage, found: Found, place: Place): Promise<void> {
    if (place.steps.length > maxNesting || !this.#isSampled(key, image, found, place)) return
    const nested: { step: Step; key: string; image: FlatImage }[] = []
    const finder = this.#finderFor(place.workload)
    await runRecovery(this.examiner, image, (disk, call) => {
      const { losses } = finder.at(disk.platter, mostNestedImages)
      for (const [index, loss] of losses.entries()) {
        if (this.examiner.known(loss.key) === found) continue
        nested.push({ step: { call, index }, key: loss.key, image: loss.build() })
      }
    })
    this.counts.nestedImages += nested.length
    for (const { step, key: inner, image: left } of nested) {
      const here = { workload: place.workload, steps: [...place.steps, step] }
      await this.#checkNested(inner, left, found, here)
    }
  }

  /** The first with these very names of files and a topic or none, and every so many of the others. */
  #isSampled(key: string, image: FlatImage, found: Found, { workload, steps }: Place): boolean {
    const { nestedEvery, nestsShapes } = depthOf(workload)
    if (numberOf(key) % nestedEvery === 0) return true
    if (!nestsShapes) return false
    const shape = `${steps.length} ${found === null} ${keyOf(image, () => true)}`
    const isNew = !this.#shapes.has(shape)
    this.#shapes.add(shape)
    return isNew
  }

  async #checkNested(key: string, image: FlatImage, found: Found, place: Place): Promise<void> {
    this.#onImage()
    try {
      const isNew = this.examiner.known(key) === undefined
      const again = await this.examiner.examine(key, image)
      const same = { ...found, epoch: 0 }
      assert.deepEqual({ ...again, epoch: 0 }, same, 'a recovery cut short changes nothing')
      assert.ok((again?.epoch ?? 0) >= (found?.epoch ?? 0), 'no epoch is given out again')
      if (isNew) await this.#crashRecovery(key, image, again, place)
    } catch (error) {
      this.#fail(place, (error as Error).stack ?? String(error))
    }
  }
}

/** The same for the same image on every machine, and spread evenly. */
function numberOf(key: string): number {
  let number = 0
  for (const character of key.slice(0, 5)) number = number * 31 + character.charCodeAt(0)
  return number
}
