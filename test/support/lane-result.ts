/**
 * LaneResult: what a long lane (crash, fuzz, plants, faults, sim) found, as a JSON file that is
 * committed.
 *
 * Always true: a result names its date, commit, whether the tree had changes, machine and command,
 * so that a figure can be asked for again; nothing is written unless the lane was started with
 * `--record`, because an ordinary run must leave the tree as it was.
 * Called by the command lines of the lanes at their end; the results lie in test/results/.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineFacts, treeFacts } from '../../bench/support/provenance.ts'
import { root } from './repository.ts'

/** A flag of every lane: write the result below test/results/. */
export const recordFlag = '--record'

/**
 * Writes `facts` as the result of `lane` (a kebab-case name), with date, commit, machine and the
 * words of the command.
 */
export function writeLaneResult(lane: string, facts: object): void {
  const result = {
    lane,
    date: new Date().toISOString(),
    ...treeFacts(),
    machine: machineFacts(),
    words: process.argv.slice(2).filter(word => word !== recordFlag),
    ...facts,
  }
  mkdirSync(join(root, 'test', 'results'), { recursive: true })
  writeFileSync(pathOf(lane), `${JSON.stringify(result, null, 2)}\n`)
}

/** What the latest run of `lane` recorded, for lanes that add to it; null where none has. */
export function readLaneResult(lane: string): Record<string, unknown> | null {
  return existsSync(pathOf(lane)) ? JSON.parse(readFileSync(pathOf(lane), 'utf8')) : null
}

const pathOf = (lane: string): string => join(root, 'test', 'results', `${lane}.json`)
