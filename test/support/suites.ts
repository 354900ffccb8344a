/**
 * Suites: which test file is loaded by which suite. Many test files share one process, because a
 * tap process costs about as much as a hundred tests.
 *
 *   test/protocol.suite.ts ──> test/protocol/frame.test.ts, test/protocol/records/batch.test.ts, …
 *
 * Always true: a test file belongs to the suite with the longest matching folder, so to one at
 * most; test/tidy/suites.test.ts proves that it is never none. Files of `ownProcess` folders start
 * real brokers and run alone. tap is not imported here: it would put its own clock on the runner.
 */
import { filesUnder } from './repository.ts'

/** Folders below test/ that each suite loads; '' is test/ itself, without its folders. */
export const suites = {
  protocol: ['protocol'],
  storage: ['broker/storage'],
  broker: ['broker'],
  client: ['client'],
  simulation: ['simulation'],
  hardening: ['crash', 'fuzz', 'planted'],
  conformance: ['conformance', 'bench'],
  tidy: ['tidy', 'support', ''],
} as const satisfies Record<string, readonly string[]>

export type SuiteName = keyof typeof suites

/** Folders below test/ whose files are tap programs of their own. */
export const ownProcess: readonly string[] = ['integration']

/** A top-level test may take this long; the clock starts anew with each one. */
export const testTimeoutMs = 60_000
/** A file with a process of its own may take this long as a whole, unless it sets its own limit. */
export const aloneTimeoutMs = 180_000

const covers = (folder: string, path: string): boolean =>
  folder === '' ? /^test\/[^/]+$/.test(path) : path.startsWith(`test/${folder}/`)

/** The suite of a test file; `alone` for a process of its own, null where no suite loads it. */
export function suiteOf(path: string): SuiteName | 'alone' | null {
  if (ownProcess.some(folder => covers(folder, path))) return 'alone'
  const claims = Object.entries(suites).flatMap(([name, folders]) =>
    folders.filter(folder => covers(folder, path)).map(folder => ({ name, folder })),
  )
  const [best] = claims.sort((a, b) => b.folder.length - a.folder.length)
  return best === undefined ? null : (best.name as SuiteName)
}

/** All test files, or those whose path contains one of the `filters`. */
export function testFiles(filters: readonly string[] = []): string[] {
  const all = filesUnder('test', /\.test\.ts$/)
  if (filters.length === 0) return all
  return all.filter(path => filters.some(filter => path.includes(filter)))
}

/** The variable by which run-tests.ts hands its filters to the suites: a JSON list. */
export const filterVariable = 'TEST_FILE_FILTER'
