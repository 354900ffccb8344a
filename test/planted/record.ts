/**
 * Record: what was hunted, plant by plant, in test/results/plants.json.
 *
 * Always true: each row says with which commit and when it was hunted; a hunt of a few plants, or
 * one that was broken off, replaces their rows and leaves the others; plants that are no longer
 * there are left out.
 * Called by run.ts after each plant.
 */
import { treeFacts } from '../../bench/support/provenance.ts'
import { readLaneResult, writeLaneResult } from '../support/lane-result.ts'
import { type Finding, medianNeeded } from './finding.ts'
import type { Hunted } from './hunt.ts'
import type { Plant } from './plant.ts'
import { type Told, totalsOf } from './table.ts'

export interface Row {
  readonly name: string
  readonly rule: string
  readonly says: string
  readonly canHarmRecords: boolean
  readonly commit: string
  readonly date: string
  readonly findings: readonly Finding[]
}

export function rowOf({ plant, findings }: Hunted, at: { commit: string; date: string }): Row {
  const { name, rule, says, isHarmful } = plant
  const told = findings.map(finding => {
    const { seeds } = finding
    return seeds === undefined ? finding : { ...finding, medianSeeds: medianNeeded(seeds) }
  })
  return { name, rule, says, canHarmRecords: isHarmful, ...at, findings: told }
}

/** In the order of `plants`. */
export function mergeRows(before: readonly Row[], news: Row, plants: readonly Plant[]): Row[] {
  const byName = new Map([...before, news].map(row => [row.name, row]))
  return plants.flatMap(({ name }) => byName.get(name) ?? [])
}

export function recordHunted(hunted: Hunted, plants: readonly Plant[]): void {
  const { commit } = treeFacts()
  const before = (readLaneResult('plants')?.['plants'] ?? []) as Row[]
  const rows = mergeRows(before, rowOf(hunted, { commit, date: new Date().toISOString() }), plants)
  const told = rows.map((row): Told => {
    return { plant: { name: row.name, isHarmful: row.canHarmRecords }, findings: row.findings }
  })
  const missing = plants.map(({ name }) => name).filter(name => !rows.some(r => r.name === name))
  writeLaneResult('plants', { totals: totalsOf(told), notHunted: missing, plants: rows })
}
