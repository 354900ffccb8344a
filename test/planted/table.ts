/**
 * Table: what a hunt came to, as lines of text.
 *
 * Always true: a plant that nothing found says NOT FOUND; one that can harm records and was found
 * by one kind of tests only is listed under the table.
 * Called by run.ts; its totals by record.ts too.
 */
import { type Finding, medianNeeded } from './finding.ts'
import type { Hunted } from './hunt.ts'
import type { Plant } from './plant.ts'

const shorten = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`

function seedsText({ seeds }: Finding): string {
  if (seeds === undefined) return ''
  const { scenario, seed, needed } = seeds
  const median = medianNeeded(seeds) ?? 'none'
  const spread = needed.length > 1 ? `, median ${median} of ${needed.length} starts` : ''
  return ` ${scenario} seed ${seed}, ${needed[0]} tried${spread}:`
}

function findingLine(finding: Finding): string {
  const { layer, by, seconds } = finding
  const time = `${seconds.toFixed(1)} s`
  return `    ${layer.padEnd(10)} ${time.padStart(7)} ${seedsText(finding)} ${shorten(by, 110)}`
}

export function huntedLines({ plant, findings }: Hunted): string {
  const verdict = findings.length === 0 ? 'NOT FOUND' : 'found    '
  const head = `${verdict} ${plant.rule.padEnd(4)} ${plant.name}: ${plant.says}`
  return [head, ...findings.map(findingLine)].join('\n')
}

export interface HuntTotals {
  readonly plants: number
  readonly found: number
  readonly harmful: number
  readonly harmfulFoundTwice: number
  /** Harmful ones that one layer alone found, or none. */
  readonly foundOnce: readonly string[]
  readonly byFirstLayer: Readonly<Record<string, number>>
}

/** What totals need to know of a hunted plant. */
export interface Told {
  readonly plant: Pick<Plant, 'name' | 'isHarmful'>
  readonly findings: readonly Pick<Finding, 'layer'>[]
}

export function totalsOf(hunted: readonly Told[]): HuntTotals {
  const harmful = hunted.filter(({ plant }) => plant.isHarmful)
  const weak = harmful.filter(({ findings }) => findings.length < 2)
  const byFirstLayer: Record<string, number> = {}
  for (const { findings } of hunted) {
    const layer = findings[0]?.layer ?? 'none'
    byFirstLayer[layer] = (byFirstLayer[layer] ?? 0) + 1
  }
  return {
    plants: hunted.length,
    found: hunted.filter(({ findings }) => findings.length > 0).length,
    harmful: harmful.length,
    harmfulFoundTwice: harmful.length - weak.length,
    foundOnce: weak.map(({ plant }) => plant.name),
    byFirstLayer,
  }
}

export function summaryLines(totals: HuntTotals, seconds: number): string {
  const { plants, found, harmful, harmfulFoundTwice, foundOnce, byFirstLayer } = totals
  const first = Object.entries(byFirstLayer).map(([layer, count]) => `${layer} ${count}`)
  const twice = `${harmfulFoundTwice} of ${harmful} that can harm records by two layers`
  const lines = [`${found} of ${plants} found (first by ${first.join(', ')}); ${twice}`]
  if (foundOnce.length > 0) lines.push(`by one layer only: ${foundOnce.join(', ')}`)
  return [...lines, `${seconds.toFixed(0)} s`].join('\n')
}
