/** Canonical JSON: equal objects give one text; what has no canonical form is refused. */
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import {
  canonicalJson,
  isCanonicalJson,
  maxCanonicalDepth,
} from '../../../protocol/bytes/canonical-json.ts'

t.test('the order of properties does not matter, at any depth', async t => {
  const text = '{"a":{"x":[{"p":1,"q":null}],"y":true},"b":"é"}'
  t.equal(canonicalJson({ b: 'é', a: { y: true, x: [{ q: null, p: 1 }] } }), text)
  t.equal(canonicalJson({ tenant: 'acme', region: 'eu' }), '{"region":"eu","tenant":"acme"}')
  t.equal(canonicalJson({ 9: 1, 10: 2 }), '{"10":2,"9":1}', 'names sort as text')
  t.equal(canonicalJson([-0, 0.5, 1e21, 'x', false, null]), '[0,0.5,1e+21,"x",false,null]')
  t.equal(canonicalJson(Object.assign(Object.create(null), { b: 1, a: 2 })), '{"a":2,"b":1}')
  t.equal(canonicalJson(runInNewContext('({ b: 1, a: [2] })')), '{"a":[2],"b":1}')
  const proto = JSON.parse('{"__proto__":{"b":1,"a":2}}')
  t.equal(canonicalJson(proto), '{"__proto__":{"a":2,"b":1}}')
})

/** The same value with the properties of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, member]) => [name, reversed(member)] as const)
  return Object.fromEntries(entries.reverse())
}

t.test('any JSON survives, whatever the order, and its text is recognised', async () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => {
      const text = canonicalJson(value)
      const back: unknown = JSON.parse(text)
      return (
        canonicalJson(reversed(value)) === text &&
        canonicalJson(back) === text &&
        JSON.stringify(reversed(reversed(back))) === text &&
        isCanonicalJson(text)
      )
    }),
  )
})

class Point {
  x = 1
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

const cyclic: Record<string, unknown> = { a: 1 }
cyclic.self = cyclic
const cyclicList: unknown[] = []
cyclicList.push(cyclicList)

const refused: [string, unknown, RegExp][] = [
  ['NaN', { a: { b: Number.NaN } }, /\$\.a\.b is NaN/],
  ['Infinity', [1, -Infinity], /\$\[1\] is -Infinity/],
  ['an undefined member', { a: 1, b: undefined }, /\$\.b is a value of type undefined/],
  ['undefined in a list', { l: [1, undefined] }, /\$\.l\[1\] is a value of type undefined/],
  ['undefined itself', undefined, /\$ is a value of type undefined/],
  ['a function', { f: () => 1 }, /\$\.f is a value of type function/],
  ['a function in a list', [() => 1], /\$\[0\] is a value of type function/],
  ['toJSON', { toJSON: () => 'x' }, /\$\.toJSON is a value of type function/],
  ['a symbol', { s: Symbol('s') }, /\$\.s is a value of type symbol/],
  ['a symbol as name', { [Symbol('s')]: 1 }, /\$ is a member named by a symbol/],
  ['a Map', { m: new Map([[1, 2]]) }, /\$\.m is an instance of Map/],
  ['a Set', new Set([1]), /\$ is an instance of Set/],
  ['a Date', [new Date(0)], /\$\[0\] is an instance of Date/],
  ['a class instance', { p: new Point() }, /\$\.p is an instance of Point/],
  ['a boxed number', { n: Object(1) }, /\$\.n is an instance of Number/],
  ['a typed array', { b: new Uint8Array(2) }, /\$\.b is an instance of Uint8Array/],
  ['inherited members', Object.create({ a: 1 }), /\$ is an instance of/],
  ['a BigInt', { n: 10n }, /\$\.n is a BigInt/],
  ['a cycle', cyclic, /a cycle/],
  ['a cycle through a list', cyclicList, /a cycle/],
  ['a hole in a list', { l: new Array(2) }, /\$\.l is a list with holes/],
  ['a list with a name', Object.assign([1], { extra: 2 }), /extra members/],
  ['20,000 levels', nested(20_000), /nesting deeper than 32/],
  ['one level too many', nested(maxCanonicalDepth + 1), /nesting deeper than 32/],
  ['half of a surrogate pair', { s: 'a\ud800' }, /\$\.s is text with half of a surrogate pair/],
  ['half a pair in a name', { '\udc00': 1 }, /is a name with half of a surrogate pair/],
]

for (const [what, value, message] of refused) {
  t.test(`${what} is refused, and the message says where`, async t => {
    t.throws(() => canonicalJson(value), { code: 'KEY_NOT_CANONICAL', message })
  })
}

t.test('nesting up to the limit is fine', async t => {
  t.doesNotThrow(() => canonicalJson(nested(maxCanonicalDepth)))
})

t.test('text that is not canonical JSON is told apart', async t => {
  for (const text of [
    '{"b":1,"a":2}',
    '{ "a":1}',
    '1.0',
    '"\\u0061"',
    '',
    '{',
    'NaN',
    '[1,]',
    '-0',
  ]) {
    t.equal(isCanonicalJson(text), false, text)
  }
  for (const text of ['{"a":1,"b":2}', '1', '"a"', 'null', '[]'])
    t.equal(isCanonicalJson(text), true)
})
