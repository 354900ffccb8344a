/**
 * One tap process for the test files of broker, without storage; which ones
 * these are is decided in support/suites.ts. Started by support/run-tests.ts.
 */
import { loadTests } from './support/suite.ts'

await loadTests('broker')
