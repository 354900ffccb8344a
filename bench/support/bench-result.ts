/**
 * BenchResult: what a lane of bench/ measured, as a JSON file in bench/results/ that is committed.
 *
 * Always true: a result names its date, commit, whether the tree had changes, machine and command;
 * it is written only where the lane was started with `--record`.
 * Used by the lanes of bench/.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { machineFacts, repositoryRoot, treeFacts } from './provenance.ts'

/** bench/results/, absolute. */
export const resultsDirectory = join(repositoryRoot, 'bench', 'results')

/** What a figure depends on; the load of the machine before the lane began is part of it. */
export function machineNow(): object {
  return { ...machineFacts(), loadBefore: loadavg()[0] }
}

/** Writes `facts` with what they depend on as bench/results/`name`.json; answers the path. */
export function writeBenchResult(name: string, machine: object, facts: object): string {
  const result = {
    bench: name,
    date: new Date().toISOString(),
    ...treeFacts(),
    machine,
    words: process.argv.slice(2).filter(word => word !== '--record'),
    ...facts,
  }
  mkdirSync(resultsDirectory, { recursive: true })
  const path = join(resultsDirectory, `${name}.json`)
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
  return path
}
