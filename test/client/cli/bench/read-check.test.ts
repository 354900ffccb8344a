/** Tests of read-check.ts: which checks a read may claim that was, or was not, waited for. */
import t from 'tap'
import { checkRead } from '../../../../client/cli/bench/read-check.ts'
import { ReadProgress } from '../../../../client/cli/bench/readers.ts'
import type { CommandContext } from '../../../../client/cli/command.ts'
import type { Client } from '../../../../client/types/client.ts'

/** Nobody reads a second time, so neither is asked. */
const context = {} as unknown as CommandContext
const client = {} as unknown as Client

/** Two clients that read `records` of `to`, where `count` were asked for. */
async function checkedOf(records: number, to: number | null, count: number | null) {
  const planned = [{ topic: 't', partition: 0, from: 0, to }]
  const progress = [new ReadProgress(planned), new ReadProgress(planned)]
  progress[0]?.saw(0, 0, to ?? 1000)
  progress[1]?.saw(0, 0, records)
  const checks = { isCrcChecked: false, isStampChecked: false }
  const { verified } = await checkRead(context, client, { planned, progress, count, ...checks })
  return verified?.checked
}

t.test('the count is checked where each client has all, or what was asked for', async t => {
  t.strictSame(await checkedOf(100, 100, null), ['offsets', 'count'])
  t.strictSame(await checkedOf(60, 100, 50), ['offsets', 'count'])
  t.strictSame(await checkedOf(60, null, 50), ['offsets', 'count'])
})

t.test('it is not where the time was over before', async t => {
  t.strictSame(await checkedOf(60, 100, null), ['offsets'])
  t.strictSame(await checkedOf(40, 100, 50), ['offsets'])
  t.strictSame(await checkedOf(40, null, null), ['offsets'])
})
