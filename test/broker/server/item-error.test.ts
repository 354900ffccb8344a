/** What clients are told of errors that arose below the handlers. */
import t from 'tap'
import { itemError } from '../../../broker/server/item-error.ts'
import { DiskError } from '../../../broker/world/disk.ts'
import { silentLogger } from '../../../broker/world/logger.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { InvariantError } from '../../../protocol/invariant.ts'

const context = { logger: silentLogger, topic: 'orders', partition: 3 }

t.test('a log that is being closed is a broker that stops: the client comes again', async t => {
  for (const maybeApplied of [true, false]) {
    const error = new SluiceError('CLOSED', 'the log has been closed', { maybeApplied })
    t.match(itemError(error, context), {
      code: 'BROKER_NOT_AVAILABLE',
      retriable: true,
      maybeApplied,
      topic: 'orders',
      partition: 3,
    })
  }
})

t.test('an error of the table travels as it is; a broken invariant does not travel', async t => {
  const full = new SluiceError('DISK_FULL', 'full', { retryAfterMs: 7 })
  t.match(itemError(full, context), { code: 'DISK_FULL', retriable: true, retryAfterMs: 7 })
  t.match(itemError(new DiskError('io', '/x', 'EIO'), context), { code: 'KAFKA_STORAGE_ERROR' })
  t.throws(() => itemError(new InvariantError('never', {}), context), InvariantError)
})
