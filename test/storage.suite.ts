/**
 * One tap process for the test files of broker/storage; which ones
 * these are is decided in support/suites.ts. Started by support/run-tests.ts.
 */
import { loadTests } from './support/suite.ts'

await loadTests('storage')
