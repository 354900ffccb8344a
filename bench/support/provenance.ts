/**
 * Provenance: the commit and the machine that a recorded figure was taken with.
 *
 * Always true: files that lanes themselves write (bench/results/, test/results/) do not count as a
 * changed tree, so that one lane's record does not spoil the next; where git cannot answer, the
 * commit is `unknown` and the tree counts as changed.
 * Used by bench/run.ts, bench-result.ts and test/support/lane-result.ts.
 */
import { execFileSync } from 'node:child_process'
import { arch, cpus, release, type as system, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The directory of this repository, absolute. */
export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url))

const recorded = [':!bench/results', ':!test/results']

export interface TreeFacts {
  readonly commit: string
  /** Whether tracked files differed from the commit. */
  readonly treeChanged: boolean
}

export function treeFacts(root = repositoryRoot): TreeFacts {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', '.', ...recorded)
    return { commit: git('rev-parse', 'HEAD'), treeChanged: changes !== '' }
  } catch {
    return { commit: 'unknown', treeChanged: true }
  }
}

export interface MachineFacts {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGiB: number
  readonly system: string
  readonly kernel: string
  readonly node: string
}

export function machineFacts(): MachineFacts {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${system()} ${release()} ${arch()}`,
    kernel: release(),
    node: process.version,
  }
}
