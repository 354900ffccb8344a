/** Reading: a record that is lost, doubled or sent in vain ends it, and is named. */
import t from 'tap'
import type { PeerClient } from '../../../bench/peers/peer.ts'
import { Reading } from '../../../bench/peers/reading.ts'
import { NumberedCheck, NumberedValues } from '../../../bench/support/numbered-values.ts'

const total = 3

/** A log that gives the records of these numbers, of which `total` were sent. */
async function read(numbers: readonly number[], late: readonly number[] = []) {
  const taken = new NumberedValues(20, total)
  const values = Array.from({ length: total }, () => new Uint8Array(taken.take()))
  const give = (some: readonly number[], onValue: (value: Uint8Array) => void): void => {
    for (const number of some) onValue(values[number] ?? new Uint8Array(20))
  }
  const client: Pick<PeerClient, 'read'> = {
    read: async (_log, _from, onValue) => {
      give(numbers, onValue)
      setImmediate(() => give(late, onValue))
      return { stop: async () => {} }
    },
  }
  const check = new NumberedCheck(20, total)
  const place = { client, log: 'log', from: 'start', silenceMs: 10, listenOnMs: 20 } as const
  const reading = await Reading.begin({ ...place, check, total })
  await reading.all()
  await reading.end()
}

t.test('all records in their order are what is waited for', async t => {
  await t.resolves(read([0, 1, 2]))
  await t.resolves(read([0], [1, 2]))
})

t.test('a lost record is named, at the end or between others', async t => {
  await t.rejects(read([0, 1]), { message: 'record 2 of 3 did not come within 10 ms' })
  await t.rejects(read([0, 2]), { message: 'record 2 came where 1 was due' })
})

t.test('a record too many is seen, also when it comes after the last', async t => {
  await t.rejects(read([0, 1, 1, 2]), { message: 'record 1 came where 2 was due' })
  await t.rejects(read([0, 1, 2], [1]), { message: 'record 1 came where 3 was due' })
})

t.test('what cannot be sent ends the wait', async t => {
  const client: Pick<PeerClient, 'read'> = { read: async () => ({ stop: async () => {} }) }
  const check = new NumberedCheck(20, total)
  const reading = await Reading.begin({ client, log: 'log', from: 'end', check, total })
  reading.fail(new Error('refused'))
  await t.rejects(reading.all(), /refused/)
})
