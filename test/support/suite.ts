/**
 * Suite: loads the test files of one suite into this process.
 * Called once by each *.suite.ts file.
 */
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { compiledPath } from './repository.ts'
import { filterVariable, type SuiteName, suiteOf, testFiles, testTimeoutMs } from './suites.ts'

/**
 * Imports the test files of a suite, in order of their paths. Called once by each *.suite.ts file.
 */
export async function loadTests(suite: SuiteName): Promise<void> {
  const filters = JSON.parse(process.env[filterVariable] ?? '[]') as string[]
  const files = testFiles(filters).filter(path => suiteOf(path) === suite)
  t.on('subtestStart', () => t.setTimeout(testTimeoutMs))
  for (const path of files) {
    try {
      await import(pathToFileURL(compiledPath(path)).href)
    } catch (error) {
      t.fail(`${path} cannot be loaded`, { error, stack: (error as Error).stack ?? '' })
    }
  }
}
