/** Codecs: what fits comes back, what does not is an error with the topic and the reason. */
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { bytes, int32, int64, json, jsonKey, string } from '../../../client/codecs/codecs.ts'
import type { StandardSchemaResult } from '../../../client/codecs/standard-schema.ts'
import type { Codec } from '../../../client/types/codecs.ts'

const context = { topic: 'orders', part: 'value' } as const
const utf8 = (text: string) => new TextEncoder().encode(text)
const hex = (encoded: Uint8Array | null) => encoded && Buffer.from(encoded).toString('hex')

function roundTrips<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, value => {
      const encoded = codec.encode(value, context)
      if (encoded === null) return false
      return JSON.stringify(codec.decode(encoded, context)) === JSON.stringify(value)
    }),
  )
}

t.test('every codec gives back what it was given', async () => {
  roundTrips(bytes(), fc.uint8Array())
  roundTrips(string(), fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\ufeffx')))
  roundTrips(json(), fc.jsonValue({ stringUnit: 'binary' }))
  roundTrips(int32(), fc.integer())
  roundTrips(int64(), fc.maxSafeInteger())
})

t.test("integers have the bytes of Kafka's serializers", async t => {
  t.equal(hex(int32().encode(-2, context)), 'fffffffe')
  t.equal(hex(int64().encode(-2, context)), 'fffffffffffffffe')
  t.equal(hex(int64().encode(1_700_000_000_000, context)), '0000018bcfe56800')
})

t.test('equal objects are equal keys', async t => {
  const codec = jsonKey<{ a: number; b: number }>()
  t.same(codec.encode({ b: 1, a: 2 }, context), utf8('{"a":2,"b":1}'))
  t.same(codec.decode(utf8('{"b":1,"a":2}'), context), { a: 2, b: 1 })
  t.throws(() => codec.encode({ a: Number.NaN, b: 1 }, context), {
    code: 'KEY_NOT_CANONICAL',
    message: /\$\.a is NaN/,
  })
})

/** A value of the wrong type, as plain JavaScript may hand it in. */
const wrong = <T>(value: unknown) => value as T

t.test('values that do not fit are ENCODE_FAILED, with topic and part', async t => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const cases: [Codec<never>, unknown, RegExp][] = [
    [bytes() as Codec<never>, 'text', /not a Uint8Array/],
    [string() as Codec<never>, 7, /is 7, not text/],
    [string() as Codec<never>, 'a\ud800', /half of a surrogate pair/],
    [int32() as Codec<never>, 2 ** 31, /is 2147483648, not an integer/],
    [int32() as Codec<never>, 0.5, /not an integer/],
    [int32() as Codec<never>, '7', /is a string/],
    [int32() as Codec<never>, 7n, /is a bigint/],
    [int64() as Codec<never>, 2 ** 53, /not an integer/],
    [int64() as Codec<never>, 7n, /is a bigint/],
    [json() as Codec<never>, undefined, /has no JSON form/],
    [json() as Codec<never>, cyclic, /has no JSON form/],
    [json() as Codec<never>, 1n, /has no JSON form/],
  ]
  for (const [codec, value, message] of cases) {
    t.throws(() => codec.encode(wrong(value), context), {
      code: 'ENCODE_FAILED',
      message,
      topic: 'orders',
    })
  }
})

t.test('stored bytes that do not fit are DECODE_FAILED', async t => {
  const cases: [Codec<unknown>, Uint8Array, RegExp][] = [
    [string() as Codec<unknown>, Uint8Array.of(0xff), /is not UTF-8/],
    [json(), Uint8Array.of(0xff), /is not UTF-8/],
    [json(), utf8('{"a":'), /is not JSON/],
    [jsonKey(), utf8(''), /is not JSON/],
    [int32() as Codec<unknown>, new Uint8Array(3), /has 3 bytes, not 4/],
    [int64() as Codec<unknown>, new Uint8Array(9), /has 9 bytes, not 8/],
    [int64() as Codec<unknown>, new Uint8Array(8).fill(0x7f), /beyond/],
  ]
  for (const [codec, stored, message] of cases) {
    t.throws(() => codec.decode(stored, { topic: 'orders', part: 'key' }), {
      code: 'DECODE_FAILED',
      message,
      topic: 'orders',
    })
  }
})

const Order = z.object({ id: z.number().int(), total: z.number().default(0) })

t.test('a schema is asked on both ways, and its output is what travels', async t => {
  const codec = json(Order)
  t.same(codec.encode({ id: 1, total: 9.5 }, context), utf8('{"id":1,"total":9.5}'))
  t.same(codec.encode(wrong({ id: 1, extra: true }), context), utf8('{"id":1,"total":0}'))
  t.same(codec.decode(utf8('{"id":3}'), context), { id: 3, total: 0 })
  const bad = wrong<z.output<typeof Order>>({ id: 'x' })
  t.throws(() => codec.encode(bad, context), { code: 'ENCODE_FAILED', message: /id: / })
  t.throws(() => jsonKey(Order).encode(bad, context), { code: 'ENCODE_FAILED', message: /id: / })
  t.throws(() => codec.decode(utf8('{"id":0.5}'), context), {
    code: 'DECODE_FAILED',
    message: /does not fit its schema: id: /,
  })
})

/** A schema of another library than zod. */
function schemaOf(validate: () => StandardSchemaResult<number> | Promise<never>) {
  return { '~standard': { version: 1, vendor: 'test', validate } } as const
}

t.test('a schema that answers later, or throws, is an error at once', async t => {
  const later = json(schemaOf(() => Promise.reject(new Error('later'))))
  t.throws(() => later.encode(1, context), { code: 'ENCODE_FAILED', hint: /synchronously/ })
  t.throws(() => later.decode(utf8('1'), context), { code: 'DECODE_FAILED', hint: /sync/ })
  const asyncZod = json(z.number().refine(async () => true))
  t.throws(() => asyncZod.encode(1, context), { code: 'ENCODE_FAILED', hint: /synchronously/ })
  const throwing = json(
    schemaOf(() => {
      throw new Error('out of order')
    }),
  )
  t.throws(() => throwing.encode(1, context), { code: 'ENCODE_FAILED', message: /out of order/ })
})
