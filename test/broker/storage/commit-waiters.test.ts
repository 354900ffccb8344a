/** Commit waiters against a plain list. */
import fc from 'fast-check'
import t from 'tap'
import { CommitWaiters } from '../../../broker/storage/commit-waiters.ts'
import { LogFollowers } from '../../../broker/storage/log-followers.ts'
import { SluiceError } from '../../../protocol/errors.ts'

t.test('each waiter is answered once, at the first commit beyond its offset', async t => {
  const step = fc.oneof(
    fc.record({ wait: fc.integer({ min: 0, max: 30 }) }),
    fc.record({ commit: fc.integer({ min: 0, max: 8 }) }),
    fc.constant('fail' as const),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const waiters = new CommitWaiters()
      const waiting = new Map<number, number>()
      const answers: [number, boolean][] = []
      let committed = 0
      let id = 0
      for (const action of steps) {
        const expected: [number, boolean][] = []
        answers.length = 0
        if (action === 'fail') {
          for (const one of waiting.keys()) expected.push([one, false])
          waiters.fail(new SluiceError('DISK_FULL', ''))
        } else if ('wait' in action) {
          const own = id++
          waiters.add(committed + action.wait, error => answers.push([own, error === null]))
          waiting.set(own, committed + action.wait)
        } else {
          committed += action.commit
          for (const [one, last] of waiting) if (last < committed) expected.push([one, true])
          waiters.commit(committed)
        }
        for (const [one] of expected) waiting.delete(one)
        const order = (a: [number, boolean], b: [number, boolean]) => a[0] - b[0]
        if (JSON.stringify(answers.sort(order)) !== JSON.stringify(expected.sort(order)))
          return false
      }
      return true
    }),
  )
  t.pass()
})

t.test(
  'followers are answered after the call that added them, also when it is too late',
  async t => {
    const followers = new LogFollowers()
    const seen: string[] = []
    const note = (name: string) => (error: SluiceError | null) =>
      void seen.push(`${name} ${error?.code ?? 'ok'}`)
    const log = { highWatermark: 5, logEndOffset: 8 }
    followers.wait(4, log, note('committed'))
    followers.wait(9, log, note('dropped'))
    followers.wait(6, log, note('pending'))
    t.strictSame(seen, [])
    await Promise.resolve()
    t.strictSame(seen, ['committed ok', 'dropped DISK_FULL'])
    let moves = 0
    const again = () => {
      moves++
      followers.listen(again)
    }
    followers.listen(again)
    followers.committed(7)
    t.equal(moves, 1)
    t.equal(seen.at(-1), 'pending ok')
    followers.wait(7, log, note('late'))
    followers.end()
    followers.wait(7, log, note('later'))
    await Promise.resolve()
    t.strictSame(seen.slice(-2), ['late CLOSED', 'later CLOSED'])
  },
)
