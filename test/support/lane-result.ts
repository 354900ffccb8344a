/**
 * LaneResult: what a long lane (crash, fuzz, plants, faults, sim) found, as a JSON file that is
 * committed.
 *
 * Always true: a result names its date, commit, whether the tree had changes, machine and command,
 * so that a figure can be asked for again; nothing is written unless the lane was started with
 * `--record`, because an ordinary run must leave the tree as it was.
 * Called by the command lines of the lanes at their end; the results lie in test/results/.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, type as system, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from './repository.ts'

/** A flag of every lane: write the result below test/results/. */
export const recordFlag = '--record'

const git = (...words: string[]): string =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()

function machineFacts(): object {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${system()} ${release()} ${arch()}`,
    node: process.version,
  }
}

/**
 * Writes `facts` as the result of `lane` (a kebab-case name), with date, commit, machine and the
 * words of the command.
 */
export function writeLaneResult(lane: string, facts: object): void {
  const result = {
    lane,
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    treeChanged:
      git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!*/results') !== '',
    machine: machineFacts(),
    words: process.argv.slice(2).filter(word => word !== recordFlag),
    ...facts,
  }
  mkdirSync(join(root, 'test', 'results'), { recursive: true })
  writeFileSync(
    join(root, 'test', 'results', `${lane}.json`),
    `${JSON.stringify(result, null, 2)}\n`,
  )
}
