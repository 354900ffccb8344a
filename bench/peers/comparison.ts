/**
 * Comparison: figures of all rounds become rows: median and spread per peer, and ours against each
 * as a ratio of rounds that were run in turn.
 *
 * Always true: a ratio above 1 says that Sluice is better, whichever way the figure counts; only
 * figures of one class are compared.
 * Called by run.ts; nothing here measures.
 */
import { ratioOfRounds, type Spread, spreadOf, threeDigits } from '../support/figures.ts'
import type { DurabilityClass } from './peer.ts'

/** One figure of a work: how it is called, and which way is good. */
export interface FigureRow {
  readonly key: string
  readonly label: string
  readonly unit: string
  readonly good: 'more' | 'less'
}

export interface Sample {
  readonly peer: string
  readonly durability: DurabilityClass
  readonly work: string
  readonly round: number
  readonly figures: Readonly<Record<string, number>>
}

export interface ComparedFigure extends Spread {
  readonly peer: string
  readonly rounds: readonly number[]
  /** Ours against this peer; null for ours. */
  readonly advantage: { readonly ratio: number; readonly min: number; readonly max: number } | null
}

export interface ComparedRow {
  readonly durability: DurabilityClass
  readonly work: string
  readonly figure: FigureRow
  readonly peers: readonly ComparedFigure[]
}

const own = 'sluice'

/** Figures by the number of their round. */
type Rounds = ReadonlyMap<number, number>

/** null where the two have not the same rounds, or one was too short for a figure above 0. */
function advantageOf(figure: FigureRow, ours: Rounds | undefined, theirs: Rounds) {
  if (ours?.size !== theirs.size) return null
  const pairs = [...theirs].map(([round, value]) => ({ theirs: value, ours: ours.get(round) ?? 0 }))
  if (pairs.some(pair => pair.ours === 0 || pair.theirs === 0)) return null
  const [us, them] = [pairs.map(pair => pair.ours), pairs.map(pair => pair.theirs)]
  return figure.good === 'more' ? ratioOfRounds(us, them) : ratioOfRounds(them, us)
}

/** One row: everybody who has the figure in some round; no peers where nobody has it. */
export function compareFigure(
  samples: readonly Sample[],
  where: { readonly durability: DurabilityClass; readonly work: string },
  figure: FigureRow,
): ComparedRow {
  const rounds = new Map<string, Map<number, number>>()
  for (const sample of samples) {
    if (sample.durability !== where.durability || sample.work !== where.work) continue
    const value = sample.figures[figure.key]
    if (value === undefined) continue
    const own = rounds.get(sample.peer) ?? new Map<number, number>()
    rounds.set(sample.peer, own.set(sample.round, value))
  }
  const ours = rounds.get(own)
  const peers = [...rounds].map(([peer, values]): ComparedFigure => {
    const advantage = peer === own ? null : advantageOf(figure, ours, values)
    const figures = [...values.values()]
    return { peer, ...spreadOf(figures), rounds: figures, advantage }
  })
  return { ...where, figure, peers }
}

function showSpread(median: number, { min, max }: { min: number; max: number }): string {
  return `${threeDigits(median)} (${threeDigits(min)}–${threeDigits(max)})`
}

/** Lines of text: one per peer of the row. */
export function showRow({ durability, work, figure, peers }: ComparedRow): string[] {
  return peers.map(({ peer, advantage, ...spread }) => {
    const head = `${durability.padEnd(6)}${work.padEnd(13)}${figure.label.padEnd(28)}`
    const value = showSpread(spread.median, spread).padEnd(34)
    const against = advantage === null ? '' : `× ${showSpread(advantage.ratio, advantage)}`
    return `${head}${peer.padEnd(20)}${value}${figure.unit.padEnd(11)}${against}`
  })
}
