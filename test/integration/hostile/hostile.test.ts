/**
 * Hostile clients against a real broker process with small limits: its memory stays within them,
 * who attacks is told so, and a client that works beside them goes on. The same attacks in full
 * size are `npm run memory -- --only hostile`.
 *
 * What this small form proves of memory: half-received messages, fragments, unread answers and
 * uncommitted batches stay within their own limits (`fastLimitMiB`). Elsewhere an attack of a
 * second
 * allocates less than the common bound, and what is proved is what everybody is told, that handles
 * come back, and that the victim goes on.
 */
import t, { type Test } from 'tap'
import { Arena } from './arena.ts'
import { fastConfig, fastLimitMiB, type HostileCase } from './hostile-case.ts'
import { hostileCases } from './hostile-cases.ts'
import { renderHostile, runHostile } from './hostile-run.ts'

async function check(t: Test, arena: Arena, one: HostileCase): Promise<void> {
  const { fast } = one
  if (fast === null) return
  await t.test(one.claim, async t => {
    const report = await runHostile(arena, one, {
      size: fast,
      limitMiB: one.fastLimitMiB ?? fastLimitMiB,
    })
    t.comment(renderHostile(report))
    t.same(report.problems, [])
  })
}

t.test('in one broker, one after the other', { timeout: 150_000 }, async t => {
  await using arena = await Arena.open(fastConfig)
  for (const one of hostileCases) if (one.isAlone !== true) await check(t, arena, one)
})

for (const one of hostileCases.filter(({ isAlone }) => isAlone === true)) {
  t.test(`alone: ${one.claim}`, async t => {
    await using arena = await Arena.open({ ...fastConfig, ...one.config })
    await check(t, arena, one)
  })
}
