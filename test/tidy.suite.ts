/**
 * One tap process for the test files of tidy and support, and the files of test/ itself; which ones
 * these are is decided in support/suites.ts. Started by support/run-tests.ts.
 */
import { loadTests } from './support/suite.ts'

await loadTests('tidy')
