/**
 * BenchResult: what a lane of bench/ measured, as one JSON document of named entries in
 * bench/results/ (`--record`) or elsewhere (`--out`).
 *
 * Always true: each entry names its own date, commit, whether the tree had changes, machine and
 * command; a run of some entries leaves the others as they were; no path of this machine is in it.
 * Used by curves/run.ts and peers/run.ts.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { machineFacts, repositoryRoot, treeFacts } from './provenance.ts'

/** bench/results/, absolute. */
export const resultsDirectory = join(repositoryRoot, 'bench', 'results')

/** What a figure depends on; the load of the machine before the lane began is part of it. */
export function machineNow(): object {
  return { ...machineFacts(), loadBefore: loadavg()[0] }
}

export interface ResultEntry {
  /** Entries of the same name replace each other. */
  readonly name: string
}

function wordsWithoutPaths(): string[] {
  const words = process.argv.slice(2).filter(word => word !== '--record')
  return words.map(word => word.replace(/(^|=)[./].*/, '$1PATH'))
}

function earlierEntries(path: string): ResultEntry[] {
  if (!existsSync(path)) return []
  return (JSON.parse(readFileSync(path, 'utf8')) as { entries: ResultEntry[] }).entries
}

/**
 * Writes `entries`, each with `conditions` and what they depend on, into `directory`/`name`.json,
 * beside those of other names that are there; answers the path.
 */
export function writeBenchResult(
  directory: string,
  name: string,
  entries: readonly ResultEntry[],
  conditions: object,
): string {
  const path = join(directory, `${name}.json`)
  const date = new Date().toISOString()
  const facts = { date, ...treeFacts(), words: wordsWithoutPaths(), ...conditions }
  const all = new Map(earlierEntries(path).map(entry => [entry.name, entry]))
  for (const { name: own, ...rest } of entries) all.set(own, { name: own, ...facts, ...rest })
  mkdirSync(directory, { recursive: true })
  writeFileSync(path, `${JSON.stringify({ bench: name, entries: [...all.values()] }, null, 2)}\n`)
  return path
}
