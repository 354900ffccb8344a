/**
 * Test files: runs test files of a workspace as `npm test` does, up to the first failure.
 *
 * Always true: it ends; a program that hangs or crashes is a failure, and says so; what failed
 * counts only if it fails once more, since a test that looks at real time may fail on a busy
 * machine, and if it passes in a workspace without a plant.
 * Called by layers.ts; `end` takes that workspace away.
 */
import { programsOf } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { filterVariable } from '../support/suites.ts'
import { addProgram, type Failure, newTotals } from '../support/tap-tree.ts'
import { makeWorkspace, type Workspace } from './workspace.ts'

const testTimeoutMs = 30_000
const silenceMs = 180_000
/** Failures that do not come again, before their files are left out. */
const maxFlakes = 3

interface FailedTest {
  readonly sentence: string
  /** Where it stands; undefined where no test was to blame. */
  readonly file: string | undefined
}

export class TestFiles {
  /** The one without a plant, once it is needed. */
  #clean: Workspace | null = null
  /** Whether files pass where there is no plant. */
  readonly #sound = new Map<string, Promise<boolean>>()

  /**
   * The first test of `files` that fails, and fails again, and does not fail without a plant, as a
   * sentence; null where there is none.
   * @throws Error where a test file cannot be loaded, which is no find
   */
  async firstFailure(folder: string, files: readonly string[]): Promise<string | null> {
    let left = [...files]
    for (let flakes = 0; left.length > 0; ) {
      const failed = await runOnce(folder, left)
      if (failed === null) return null
      const suspects = failed.file === undefined ? left : [failed.file]
      const again = await runOnce(folder, suspects)
      if (again === null && flakes++ < maxFlakes) continue
      if (again !== null && (await this.#areSound(suspects))) return again.sentence
      left = left.filter(path => !suspects.includes(path))
    }
    return null
  }

  end(): void {
    this.#clean?.remove()
    this.#clean = null
  }

  #areSound(files: readonly string[]): Promise<boolean> {
    const key = files.join()
    const known = this.#sound.get(key)
    if (known !== undefined) return known
    const sound = this.#passOnce(files)
    this.#sound.set(key, sound)
    return sound
  }

  async #passOnce(files: readonly string[]): Promise<boolean> {
    this.#clean ??= makeWorkspace(null)
    let failed: FailedTest | null = null
    for (let attempt = 0; attempt < 2; attempt++) {
      failed = await runOnce(this.#clean.folder, files)
      if (failed === null) return true
    }
    console.log(`not counted, for it fails without a plant too: ${failed?.sentence}`)
    return false
  }
}

async function runOnce(folder: string, files: readonly string[]): Promise<FailedTest | null> {
  const variables = {
    [filterVariable]: JSON.stringify(files),
    // tap ends at the first failure.
    TAP_BAIL: '1',
    // A plant that takes memory without end must not take the machine's.
    NODE_OPTIONS: '--max-old-space-size=1024',
  }
  for (const { file: program } of programsOf(files)) {
    const options = { folder, variables, testTimeoutMs, silenceMs }
    const { tree, problem } = await runProgram(program, options)
    const totals = newTotals()
    addProgram(totals, tree, problem)
    const first = totals.failures.find(({ path }) => !isWaiting(path)) ?? totals.failures[0]
    if (first === undefined) continue
    const place = first.diagnostics['at'] as { fileName?: string } | undefined
    const sentence = sentenceOf(first)
    if (sentence.includes('cannot be loaded')) throw new Error(sentence)
    return { sentence, file: files.find(path => path === place?.fileName) }
  }
  return null
}

/** How tap names a test that was waiting when its program broke off. */
const isWaiting = (path: readonly string[]): boolean =>
  path.some(part => part.startsWith('child test left in queue: '))

/** The test's own words; what went wrong with its program where no test was to blame. */
function sentenceOf({ path, reason }: Failure): string {
  const [program = '', test, detail = ''] = path
  if (test === undefined) return `${program} ${reason}`
  if (isWaiting(path)) return test.replace('child test left in queue: ', 'it ended before: ')
  return /timeout|cut off/.test(`${detail} ${reason}`) ? `${test} (no end)` : test
}
