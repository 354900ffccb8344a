/** Every scenario that `npm run sim` knows, in the order in which a seed runs them. */
import type { Scenario } from '../scenario.ts'
import { durableJournal } from './durable-journal.ts'

export const scenarios: readonly Scenario[] = [durableJournal()]
