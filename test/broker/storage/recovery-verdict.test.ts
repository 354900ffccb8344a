/** Recovery verdict: each row of the table. */
import t from 'tap'
import { judgeDamage } from '../../../broker/storage/recovery-verdict.ts'

const torn = {
  flush: 'commit' as const,
  belowRecoveryPoint: false,
  bytesAfter: 100,
  tornLimitBytes: 100,
  zeroTail: false,
  unknownLog: false,
}

t.test('only what a round can have torn is cut; all else is corruption', async t => {
  t.equal(judgeDamage(torn), 'cut')
  t.equal(judgeDamage({ ...torn, bytesAfter: 101 }), 'quarantine')
  t.equal(judgeDamage({ ...torn, belowRecoveryPoint: true }), 'quarantine')
  t.equal(judgeDamage({ ...torn, belowRecoveryPoint: true, flush: 'os' }), 'quarantine')
  t.equal(judgeDamage({ ...torn, bytesAfter: 1e9, flush: 'os' }), 'cut')
  t.equal(judgeDamage({ ...torn, bytesAfter: 1e9, zeroTail: true }), 'quarantine')
  t.equal(judgeDamage({ ...torn, bytesAfter: 1e9, zeroTail: true, unknownLog: true }), 'cut')
})
