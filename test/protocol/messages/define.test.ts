/** The check of every header: what is missing, wrong or too long is named by its path. */
import fc from 'fast-check'
import t from 'tap'
import { SluiceError } from '../../../protocol/errors.ts'
import {
  checkMessage,
  choice,
  dropUnknown,
  type Field,
  flag,
  group,
  integer,
  list,
  number,
  optional,
  type Shape,
  text,
  textMap,
} from '../../../protocol/messages/define.ts'

const shape = {
  name: text('A name.', 5),
  count: integer('A count.', 0, 10),
  ratio: number('A ratio.'),
  on: flag('Whether.'),
  level: choice(['low', 'high'], 'How much.'),
  note: optional(text('A note.', 5)),
  items: list(
    group({ id: integer('An id.'), tag: optional(text('A tag.', 3)) }, 'An item.'),
    'Items.',
    2,
  ),
  settings: textMap('Settings.', 2),
}
const valid = {
  name: 'quake',
  count: 10,
  ratio: -0.5,
  on: false,
  level: 'low',
  items: [{ id: 0 }, { id: 1, tag: 'abc' }],
  settings: { a: 'x', b: null },
}

t.test('what fits the shape passes unchanged, unknown fields and all', async t => {
  const sent = { ...valid, later: { version: 9 } }
  t.equal(checkMessage(shape, sent), sent)
})

const wrong: [string, object, RegExp][] = [
  ['a missing field', { name: undefined }, /"name" must be text .* got nothing/],
  ['null for a missing field', { count: null }, /"count" must be an integer .* got null/],
  ['text over its limit', { name: 'quakes' }, /"name" must be text of at most 5/],
  ['a fraction for an integer', { count: 0.5 }, /"count".* got 0\.5/],
  ['an integer over its range', { count: 11 }, /"count" must be an integer from 0 to 10, got 11/],
  ['an integer under its range', { count: -1 }, /"count"/],
  ['a number as text', { count: '3' }, /"count".* got "3"/],
  ['an infinite number', { ratio: Number.POSITIVE_INFINITY }, /"ratio" must be a finite number/],
  ['an integer for a flag', { on: 1 }, /"on" must be true or false/],
  ['a choice that is none', { level: 'LOW' }, /"level" must be one of low, high, got "LOW"/],
  ['null for an optional field', { note: null }, /"note"/],
  ['a wrong optional field', { note: 7 }, /"note"/],
  ['an object for a list', { items: {} }, /"items" must be a list of at most 2/],
  ['a list over its limit', { items: [{ id: 1 }, { id: 2 }, { id: 3 }] }, /"items"/],
  ['a list with a hole', { items: [{ id: 1 }, null] }, /"items\[1\]" must be an object/],
  ['a wrong field deep inside', { items: [{ id: 1 }, { id: '2' }] }, /"items\[1\]\.id"/],
  ['a wrong optional field deep inside', { items: [{ id: 1, tag: 'abcd' }] }, /"items\[0\]\.tag"/],
  ['a list for a map', { settings: ['a'] }, /"settings"/],
  ['a map with a number', { settings: { a: 1 } }, /"settings"/],
  ['a map over its limit', { settings: { a: 'x', b: 'x', c: 'x' } }, /"settings"/],
]
for (const [name, change, message] of wrong) {
  t.test(`refused with its path: ${name}`, async t => {
    t.throws(() => checkMessage(shape, { ...valid, ...change }), {
      code: 'INVALID_REQUEST',
      message,
    })
  })
}

t.test('what is no object at all is refused', async t => {
  for (const value of [null, undefined, 3, 'x', [valid]]) {
    t.throws(() => checkMessage(shape, value), { code: 'INVALID_REQUEST' })
  }
})

t.test('a field that only the prototype has counts as missing', async t => {
  const odd: Shape = {
    constructor: optional(text('Named like a trap.')),
    toString: text('Another.'),
  }
  t.throws(() => checkMessage(odd, {}), { message: /"toString" must be text .* got nothing/ })
  t.doesNotThrow(() => checkMessage(odd, { toString: 'own' }))
})

t.test('a long wrong value is cut in the message', async t => {
  try {
    checkMessage(shape, { ...valid, count: 'x'.repeat(5000) })
    t.fail('must throw')
  } catch (error) {
    t.ok((error as Error).message.length < 300)
  }
})

t.test('no value whatever makes a check throw anything but SluiceError', async _t => {
  const fields: [string, Field<unknown>][] = Object.entries(shape)
  fc.assert(
    fc.property(fc.nat({ max: fields.length - 1 }), fc.anything(), (index, value) => {
      const [name] = fields[index] as [string, Field<unknown>]
      try {
        checkMessage(shape, { ...valid, [name]: value })
        return true
      } catch (error) {
        return SluiceError.is(error, 'INVALID_REQUEST')
      }
    }),
    { numRuns: 2000 },
  )
})

t.test('what a shape does not know is taken out, at every depth, and nothing else', async t => {
  const inner = group({ name: text('A name.'), sizes: list(integer('A size.'), 'Sizes.') }, 'One.')
  const outer = { id: integer('Id.'), one: inner, many: list(inner, 'Many.'), map: textMap('Map.') }
  const known = { name: 'a', sizes: [1, 2] }
  const sent = { ...known, junk: new Array(100).fill([]) }
  const message = { id: 1, api: 'x', junk: {}, one: { ...sent }, many: [{ ...sent }, { ...sent }] }
  const whole = { ...message, map: { any: 'thing' } }
  dropUnknown(outer, whole, ['api'])
  const rest = { id: 1, api: 'x', one: known, many: [known, known], map: { any: 'thing' } }
  t.strictSame(whole, rest)
})
