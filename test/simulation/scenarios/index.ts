/**
 * Every scenario that `npm run sim` knows, in the order in which a seed runs them.
 * Called by run.ts and by the tests of the scenarios.
 */
import type { Scenario } from '../scenario.ts'
import { durableJournal } from './durable-journal.ts'
import { oneBroker } from './one-broker.ts'
import { storageLog } from './storage-log.ts'

export const scenarios: readonly Scenario[] = [durableJournal(), oneBroker(), storageLog]
