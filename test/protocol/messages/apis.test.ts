/** The declared messages as a whole: each documented, each refusing junk, JSON-safe. */
import fc from 'fast-check'
import t from 'tap'
import { SluiceError } from '../../../protocol/errors.ts'
import { apis } from '../../../protocol/messages/apis.ts'
import { checkMessage, type Field, type Shape } from '../../../protocol/messages/define.ts'
import { fetch } from '../../../protocol/messages/fetch.ts'
import { produce } from '../../../protocol/messages/produce.ts'

/** Fields that the frame itself uses: a message that declared one would shadow it. */
const frameFields = ['id', 'api', 'v', 'body', 'error', 'push']

function eachField(shape: Shape, visit: (name: string, field: Field<unknown>) => void): void {
  for (const [name, field] of Object.entries(shape)) {
    visit(name, field)
    if (field.fields !== undefined) eachField(field.fields, visit)
  }
}

for (const [name, api] of Object.entries(apis)) {
  const shapes: [string, Shape][] = [
    ['request', api.request],
    ['response', api.response],
  ]
  t.test(`${name} is listed under its own name, in versions that make sense`, async t => {
    t.equal(api.name, name)
    const [lowest, highest] = api.versions
    t.ok(lowest >= 1 && lowest <= highest)
    t.match(api.about, /\.$/, 'a sentence')
  })

  t.test(`${name} explains every field in a sentence and takes none of the frame's`, async t => {
    for (const [, shape] of shapes) {
      for (const field of frameFields) t.notOk(Object.hasOwn(shape, field), field)
      eachField(shape, (field, { about, type }) => {
        t.match(about, /^.{4,}[.;]/, field)
        t.ok(type.length > 0, field)
      })
    }
  })

  t.test(`${name} answers junk with INVALID_REQUEST and nothing else`, async _t => {
    for (const [, shape] of shapes) {
      const junk = fc.record(
        Object.fromEntries(Object.keys(shape).map(field => [field, fc.jsonValue()])),
        { requiredKeys: [] },
      )
      fc.assert(
        fc.property(junk, header => {
          try {
            checkMessage(shape, header)
            return true
          } catch (error) {
            return SluiceError.is(error, 'INVALID_REQUEST')
          }
        }),
        { numRuns: 200 },
      )
    }
  })
}

const partition = { topic: 'quakes', topicId: 'AAAA', partition: 0 }

t.test('produce takes acks by name only, and every partition whole', async t => {
  const request = { acks: 'all', timeoutMs: 1000, partitions: [partition] }
  t.doesNotThrow(() => checkMessage(produce.request, request))
  for (const acks of [-1, '-1', 'ALL', '']) {
    t.throws(() => checkMessage(produce.request, { ...request, acks }), { message: /"acks"/ })
  }
  const torn = { topic: 'quakes', partition: 0 }
  const message = /"partitions\[1\]\.topicId"/
  t.throws(() => checkMessage(produce.request, { ...request, partitions: [partition, torn] }), {
    message,
  })
  const far = { ...partition, partition: 2 ** 31 }
  t.throws(() => checkMessage(produce.request, { ...request, partitions: [far] }), {
    message: /"partitions\[0\]\.partition"/,
  })
})

t.test('fetch refuses negative and unsafe offsets and a credit of nothing', async t => {
  const one = { ...partition, offset: 0, maxBytes: 1 }
  const request = {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1000,
    isolation: 'uncommitted',
    partitions: [one],
  }
  t.doesNotThrow(() => checkMessage(fetch.request, request))
  for (const offset of [-1, 1.5, 2 ** 53]) {
    const partitions = [{ ...one, offset }]
    t.throws(() => checkMessage(fetch.request, { ...request, partitions }), {
      message: /\.offset"/,
    })
  }
  t.throws(() => checkMessage(fetch.request, { ...request, maxBytes: 0 }), {
    message: /"maxBytes"/,
  })
})

t.test('the error of an item is a row as it travels', async t => {
  const error = new SluiceError('NOT_LEADER_OR_FOLLOWER', 'gone', { hint: 'ask again', broker: 3 })
  const item = { partition: 0, topicId: 'A', error: JSON.parse(JSON.stringify(error)) as unknown }
  const checked = checkMessage(produce.response, { partitions: [item] })
  t.equal(checked.partitions[0]?.error?.broker, 3)
  const bare = { ...item, error: { code: 'X' } }
  t.throws(() => checkMessage(produce.response, { partitions: [bare] }), {
    message: /"partitions\[0\]\.error\.message"/,
  })
})
