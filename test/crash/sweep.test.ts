/**
 * The corruption sweep, bounded: every sector zeroed, every file deleted, and a fixed part of
 * the swaps, the bits and the lengths. The whole is `npm run crash -- --sweep`.
 */
import t from 'tap'
import { damageKinds } from './damage.ts'
import { emptyState, rowsOf, sweep } from './sweep.ts'
import { outcomes } from './sweep-check.ts'

t.test('damage is repaired, reported or refused, and never served', async t => {
  const state = emptyState()
  await sweep({ stride: 6007, worker: 0, workers: 1 }, state)
  for (const { name, reason } of state.failures) {
    t.fail(`${name}: ${reason}`, { repeatIt: `npm run crash -- --replay ${name}` })
  }
  const rows = rowsOf(state.table)
  for (const kind of damageKinds) t.ok(rows.some(row => row.kind === kind))
  for (const outcome of outcomes) t.ok(rows.some(row => row.outcome === outcome))
  const isQuiet = rows.some(row => row.stop === 'unclean' && row.outcome === 'harmless')
  t.ok(isQuiet, 'the notice of an unclean stop is no report of damage')
  t.comment(`${state.cases} damages`)
})
