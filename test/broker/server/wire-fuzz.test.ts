/**
 * Hostile bytes at the session: whatever arrives, the process lives and the next client is served.
 */
import fc from 'fast-check'
import t from 'tap'
import { encodeFrame } from '../../../protocol/frame.ts'
import { apis } from '../../../protocol/messages/apis.ts'
import { batchOf, settled, startTestBroker } from '../../support/test-broker.ts'

const runs = { numRuns: 300 }

t.test('random bytes, cut anywhere, never harm the broker', async t => {
  const { connect, world } = await startTestBroker(t, { topics: { orders: 1 } })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }), async parts => {
      const peer = await connect()
      peer.sendRaw(...parts)
      if (world.deaths.length > 0) throw new Error(String(world.deaths))
      peer.drop()
    }),
    runs,
  )
  t.equal((await (await connect()).call('metadata')).error, undefined)
})

const value = (topicId: string) =>
  fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('orders', topicId, 0, -1, 2 ** 53, 1e300, '__proto__', '', null),
  )
const entryNames = ['topic', 'topicId', 'partition', 'offset', 'maxBytes', 'name', 'at', 'before']
const fieldNames = ['topics', 'partitions', 'topic', 'total', 'configs', 'acks', 'timeoutMs', 'v']

/** Fields that belong there, overlaid with some that may be anything. */
function requestFields(topicId: string) {
  const anything = value(topicId)
  const entry = fc.dictionary(fc.constantFrom(...entryNames), anything)
  const plausible = fc.record({
    acks: fc.constantFrom('all', 'leader', 'none'),
    timeoutMs: fc.constant(10),
    maxWaitMs: fc.constant(0),
    minBytes: fc.constant(0),
    maxBytes: fc.integer({ min: 1, max: 1000 }),
    isolation: fc.constantFrom('committed', 'uncommitted'),
  })
  const overlay = fc.dictionary(
    fc.constantFrom(...fieldNames),
    fc.oneof(anything, fc.array(entry, { maxLength: 3 })),
  )
  return fc.tuple(plausible, overlay).map(([base, extra]) => ({ ...base, v: 1, ...extra }))
}

t.test('any JSON in any request is answered, or ends its connection', async t => {
  const { connect, world } = await startTestBroker(t, { topics: { orders: 1 } })
  const { header } = await (await connect()).call('metadata')
  const topicId = (header.topics as { topicId: string }[])[0]?.topicId ?? ''
  const batch = fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.constant(batchOf('fine')))
  const one = async (api: string, fields: { acks?: unknown }, bodies: Uint8Array[]) => {
    const peer = await connect()
    const id = 9
    peer.sendRaw(...encodeFrame({ ...fields, id, api }, bodies))
    for (let turn = 0; turn < 20 && !peer.answers.has(id); turn++) await settled()
    const isOneWay = api === 'produce' && fields.acks === 'none'
    if (world.deaths.length > 0) throw new Error(String(world.deaths))
    if (!peer.answers.has(id) && peer.closed === null && !isOneWay) throw new Error('no answer')
    const error = peer.answers.get(id)?.error
    if (error?.code === 'UNKNOWN_SERVER_ERROR') throw new Error(JSON.stringify(error))
    peer.drop()
  }
  const apiNames = fc.constantFrom(...Object.keys(apis))
  const property = fc.asyncProperty(
    apiNames,
    requestFields(topicId),
    fc.array(batch, { maxLength: 3 }),
    one,
  )
  await fc.assert(property, runs)
  t.equal((await (await connect()).call('metadata')).error, undefined)
})
