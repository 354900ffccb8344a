/**
 * Hostile cases: all of them, in the order in which they are run.
 *
 * Used by hostile.test.ts (small) and by the memory lane (full).
 */
import { requestCases } from './cases-of-requests.ts'
import { socketCases } from './cases-of-sockets.ts'
import type { HostileCase } from './hostile-case.ts'

export const hostileCases: readonly HostileCase[] = [...socketCases, ...requestCases]
