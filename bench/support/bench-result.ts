/**
 * BenchResult: what a lane of bench/ measured, as a JSON file in bench/results/ that is committed.
 *
 * Always true: a result names its date, commit, whether the tree had changes, machine and command;
 * it is written only where the lane was started with `--record`.
 * Used by the lanes of bench/.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, release, type as system, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** bench/results/, absolute. */
export const resultsDirectory = join(root, 'bench', 'results')

const git = (...words: string[]): string =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()

/** What a figure depends on; the load of the machine before the lane began is part of it. */
export function machineNow(): object {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${system()} ${release()} ${arch()}`,
    node: process.version,
    loadBefore: loadavg()[0],
  }
}

/** Writes `facts` with what they depend on as bench/results/`name`.json; answers the path. */
export function writeBenchResult(name: string, machine: object, facts: object): string {
  const result = {
    bench: name,
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    treeChanged:
      git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!*/results') !== '',
    machine,
    words: process.argv.slice(2).filter(word => word !== '--record'),
    ...facts,
  }
  mkdirSync(resultsDirectory, { recursive: true })
  const path = join(resultsDirectory, `${name}.json`)
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
  return path
}
