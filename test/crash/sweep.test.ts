/**
 * The corruption sweep, bounded: every sector zeroed, every file deleted and swapped with every
 * other, and a fixed part of the bits and lengths. The whole is `npm run crash -- --sweep`.
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
  t.comment(`${state.cases} damages`)
})
