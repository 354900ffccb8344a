/**
 * The self-test of the simulator: a correct system passes every seed, each planted bug is found.
 */
import t from 'tap'
import { runSeeds } from '../scenario.ts'
import type { JournalBug } from './durable-journal.ts'
import { durableJournal } from './durable-journal.ts'

t.test('a journal that obeys the rules keeps every acked record', async t => {
  const summary = await runSeeds({ scenarios: [durableJournal()], firstSeed: 1, seeds: 50 })
  t.same(summary.failures, [])
  t.equal(summary.passed, 50)
})

const bugs: Record<JournalBug, RegExp> = {
  'acks before the sync': /is gone|acked, \d+ kept/,
  'does not sync the directory': /is gone|acked, \d+ kept/,
  'trusts what it reads after a failed sync': /is gone|acked, \d+ kept/,
  'trusts a record without looking at its checksum': /is gone|acked, \d+ kept/,
  'reuses a buffer before it was flushed': /changed a message to client before it was flushed/,
}

for (const [bug, message] of Object.entries(bugs)) {
  t.test(`the simulator finds a journal that ${bug}`, async t => {
    const scenarios = [durableJournal(bug as JournalBug)]
    const options = { scenarios, firstSeed: 1, seeds: 100, maxFailures: 1 }
    const { failures } = await runSeeds(options)
    t.match(failures[0]?.message, message)
  })
}
