/**
 * One tap process for the test files of crash, fuzz and planted; which ones
 * these are is decided in support/suites.ts. Started by support/run-tests.ts.
 */
import { loadTests } from './support/suite.ts'

await loadTests('hardening')
