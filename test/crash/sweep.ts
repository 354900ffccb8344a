/**
 * Sweep: damages a data directory in every way of damage.ts and counts what becomes of it.
 *
 * Always true: cases are numbered in a fixed order, so that any part of them can be run alone and
 * by several processes; a case that is not as it must be is a failure with the name that repeats
 * it.
 * Called by sweep-worker.ts, sweep-lane.ts, run.ts (replay) and the test.
 */
import {
  type Damage,
  type DamageKind,
  damaged,
  damageKinds,
  damageName,
  damagesOf,
  fileKindOf,
  parseDamage,
  placesOf,
} from './damage.ts'
import { type Checked, checkDamaged, type Outcome } from './sweep-check.ts'
import { type Stop, type Written, writeDirectories } from './sweep-data.ts'
import { withoutStacks } from './without-stacks.ts'

export interface SweepShare {
  /** Of flips and cuts one in so many is done, of swaps one in a two-hundredth of it. */
  readonly stride: number
  readonly worker: number
  readonly workers: number
}

/** `stop kind file outcome` to the number of cases. */
export type Table = Map<string, number>

export interface SweepFailure {
  readonly name: string
  readonly reason: string
}

export interface SweepState {
  /** Name of the case that was done last. */
  last?: string
  cases: number
  /** Damages after which the files are as they were. */
  unchanged: number
  readonly table: Table
  readonly failures: SweepFailure[]
}

const stops: readonly Stop[] = ['clean', 'unclean']
const mostFailures = 40

export const emptyState = (): SweepState => ({
  cases: 0,
  unchanged: 0,
  table: new Map(),
  failures: [],
})

/** Calls `onCase` after each one. */
export function sweep(
  share: SweepShare,
  state: SweepState,
  onCase: () => void = () => {},
): Promise<void> {
  return withoutStacks(() => sweepAll(share, state, onCase))
}

async function sweepAll(share: SweepShare, state: SweepState, onCase: () => void): Promise<void> {
  const directories = await writeDirectories()
  for (const stop of stops) {
    for (const kind of damageKinds) {
      let number = 0
      const every = everyOf(kind, share.stride)
      for (const damage of damagesOf(directories[stop].image, kind)) {
        const turn = number++ / every
        if (!Number.isInteger(turn) || turn % share.workers !== share.worker) continue
        await runCase({ stop, damage, written: directories[stop] }, state)
        state.last = `${stop}/${damageName(damage)}`
        onCase()
        if (state.failures.length >= mostFailures) return
      }
    }
  }
}

function everyOf(kind: DamageKind, stride: number): number {
  if (kind === 'flip' || kind === 'cut') return stride
  return kind === 'swap' ? Math.ceil(stride / 200) : 1
}

interface Case {
  readonly stop: Stop
  readonly damage: Damage
  readonly written: Written
}

async function runCase({ stop, damage, written }: Case, state: SweepState): Promise<void> {
  const image = damaged(written.image, damage)
  if (image === null) {
    state.unchanged++
    return
  }
  state.cases++
  try {
    const { outcome } = await checkDamaged(image, written, placesOf(written.image, damage))
    const name = rowName(stop, damage, outcome)
    state.table.set(name, (state.table.get(name) ?? 0) + 1)
  } catch (error) {
    const name = `${stop}/${damageName(damage)}`
    state.failures.push({ name, reason: (error as Error).stack ?? String(error) })
  }
}

const rowName = (stop: Stop, { kind, path }: Damage, outcome: Outcome): string =>
  [stop, kind, fileKindOf(path), outcome].join(' ')

export interface Row {
  readonly stop: string
  readonly kind: DamageKind
  readonly file: string
  readonly outcome: Outcome
  readonly count: number
}

export function rowsOf(table: Table): Row[] {
  return [...table]
    .map(([name, count]) => {
      const [stop = '', kind, file = '', outcome] = name.split(' ')
      return { stop, kind: kind as DamageKind, file, outcome: outcome as Outcome, count }
    })
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

const nameOf = ({ stop, kind, file }: Row): string => [stop, kind, file].join(' ')

/** @throws Error for what is no case, and where it is not as it must be */
export async function repeatCase(name: string): Promise<Checked> {
  const slash = name.indexOf('/')
  const stop = stops.find(one => one === name.slice(0, slash))
  if (stop === undefined) throw new Error(`not a case of the sweep: ${name}`)
  const written = (await writeDirectories())[stop]
  const damage = parseDamage(name.slice(slash + 1))
  const image = damaged(written.image, damage)
  if (image === null) throw new Error('this changes nothing')
  return checkDamaged(image, written, placesOf(written.image, damage))
}
