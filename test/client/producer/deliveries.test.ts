/** Deliveries: which record's promise settles with which offset. */
import t from 'tap'
import { Deliveries } from '../../../client/producer/deliveries.ts'
import type { RecordAck } from '../../../client/types/producing.ts'
import { SluiceError } from '../../../protocol/errors.ts'

const promiseOf = (deliveries: Deliveries, timestamp: number) => {
  deliveries.add(timestamp)
  return deliveries.promise()
}

const place = { topic: 'orders', partition: 3, offset: 100, reached: 'fsynced' } as const

t.test('promises and callbacks of one batch each get the offset of their own record', async t => {
  const deliveries = new Deliveries()
  const heard: RecordAck[] = []
  const listen = () => {
    deliveries.add(0)
    deliveries.wait({ resolve: ack => heard.push(ack), reject: () => undefined })
  }
  const promises = [promiseOf(deliveries, 7)]
  listen()
  listen()
  promises.push(promiseOf(deliveries, 8))
  listen()
  promises.push(promiseOf(deliveries, 9))
  deliveries.succeed(place)
  const acks = await Promise.all(promises)
  t.same(
    acks.map(({ offset, timestamp }) => [offset, timestamp]),
    [
      [100, 7],
      [103, 8],
      [105, 9],
    ],
  )
  t.same(
    heard.map(({ offset }) => offset),
    [101, 102, 104],
  )
  t.same(acks[1], { ...place, offset: 103, timestamp: 8 })
})

t.test('records that were taken out move the others up', async t => {
  const deliveries = new Deliveries()
  const abort = new AbortController()
  const errors: SluiceError[] = []
  const first = promiseOf(deliveries, 1)
  deliveries.add(2)
  deliveries.wait({ reject: error => errors.push(error) })
  deliveries.watchLast(abort.signal, () => true)
  const second = promiseOf(deliveries, 3)
  abort.abort()
  t.same([...deliveries.removed], [1])
  deliveries.compact()
  deliveries.succeed(place)
  t.same([(await first).offset, (await second).offset], [100, 101])
  t.equal(errors[0]?.code, 'ABORTED')
  t.equal(errors[0]?.maybeApplied, false)
})

t.test('one aborted after the batch was sealed keeps its place', async t => {
  const deliveries = new Deliveries()
  const abort = new AbortController()
  const errors: SluiceError[] = []
  const first = promiseOf(deliveries, 1)
  deliveries.add(2)
  deliveries.wait({ resolve: () => t.fail('acked too'), reject: error => errors.push(error) })
  deliveries.watchLast(abort.signal, () => false)
  const third = promiseOf(deliveries, 3)
  abort.abort()
  t.equal(errors[0]?.maybeApplied, true)
  deliveries.succeed(place)
  t.same([(await first).offset, (await third).offset], [100, 102])
})

t.test('a batch that fails rejects every record with the same error', async t => {
  const deliveries = new Deliveries()
  const errors: SluiceError[] = []
  const promise = promiseOf(deliveries, 1)
  deliveries.add(2)
  deliveries.wait({ reject: error => errors.push(error) })
  const error = new SluiceError('DELIVERY_TIMEOUT', 'late')
  deliveries.fail(error)
  await t.rejects(promise, { code: 'DELIVERY_TIMEOUT' })
  t.same(errors, [error])
})

t.test('without acks no record knows its offset', async t => {
  const deliveries = new Deliveries()
  const promises = [promiseOf(deliveries, 1), promiseOf(deliveries, 2)]
  deliveries.succeed({ ...place, offset: -1, reached: 'sent' })
  t.same(
    (await Promise.all(promises)).map(({ offset }) => offset),
    [-1, -1],
  )
})
