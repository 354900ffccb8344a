/** Frames: round trips however the bytes are split, and refusal of everything that is not one. */
import fc from 'fast-check'
import t from 'tap'
import { SluiceError } from '../../protocol/errors.ts'
import { decodeFrame, encodeFrame, maxFrameBodies, maxHeaderNesting } from '../../protocol/frame.ts'

const maxHeaderBytes = 10_000

/** A message from its header's text, with the length field that belongs to it or a wrong one. */
function message(json: string | Uint8Array, bodies = '', length?: number): Uint8Array[] {
  const utf8 = Buffer.from(json)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(length ?? utf8.length)
  return [Buffer.concat([size, utf8, Buffer.from(bodies)])]
}

/** `bytes` cut at the given places, which may coincide. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map(place => place % (bytes.length + 1)), bytes.length]
  sorted.sort((a, b) => a - b)
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end))
}

t.test('the layout is: u32 length, JSON header, bodies', async t => {
  const parts = encodeFrame({ id: 7, api: 'produce' }, [Uint8Array.of(1, 2), Uint8Array.of(3)])
  const json = '{"id":7,"api":"produce","body":[2,1]}'
  t.strictSame(
    Buffer.concat(parts),
    Buffer.from(`\0\0\0${String.fromCharCode(json.length)}${json}\x01\x02\x03`),
  )
})

t.test(
  'bodies travel as they are: encode copies none, decode copies none that lies whole',
  async t => {
    const body = new Uint8Array(100)
    const parts = encodeFrame({ id: 1 }, [body])
    t.equal(parts[1], body)
    const { bodies } = decodeFrame(parts, maxHeaderBytes)
    t.equal(bodies[0]?.buffer, body.buffer)
  },
)

t.test('a header alone has no bodies', async t => {
  const { header, bodies } = decodeFrame(encodeFrame({ id: 1, text: 'ünï' }), maxHeaderBytes)
  t.strictSame(header, { id: 1, text: 'ünï' })
  t.strictSame(bodies, [])
})

t.test('any split of any message into parts decodes to the same frame', async _t => {
  const place = fc.nat({ max: 3000 })
  const header = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,6}$/).filter(k => k !== 'body'),
    fc.jsonValue({ maxDepth: 3 }),
  )
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 })
  fc.assert(
    fc.property(header, bodies, fc.array(place, { maxLength: 12 }), (fields, sent, places) => {
      const wanted = JSON.parse(JSON.stringify(fields)) as Record<string, unknown>
      const whole = Buffer.concat(encodeFrame(wanted, sent))
      const decoded = decodeFrame(cut(whole, places), 100_000)
      const { body: _lengths, ...got } = decoded.header
      return (
        JSON.stringify(got) === JSON.stringify(wanted) &&
        decoded.bodies.length === sent.length &&
        decoded.bodies.every((body, i) => Buffer.from(sent[i] ?? []).equals(body))
      )
    }),
    { numRuns: 500 },
  )
})

t.test('one byte per part decodes too', async t => {
  const whole = Buffer.concat(encodeFrame({ id: 1 }, [Uint8Array.of(1, 2, 3), new Uint8Array(0)]))
  const parts = cut(
    whole,
    Array.from(whole, (_, i) => i),
  )
  const { header, bodies } = decodeFrame(parts, maxHeaderBytes)
  t.equal(header.id, 1)
  t.strictSame(bodies, [Uint8Array.of(1, 2, 3), new Uint8Array(0)])
})

/** The code of the SluiceError that decodeFrame throws, or 'fine'; anything else is thrown on. */
function outcome(parts: readonly Uint8Array[], limit = maxHeaderBytes): string {
  try {
    const { bodies } = decodeFrame(parts, limit)
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0)
    const decoded = bodies.reduce((sum, body) => sum + body.byteLength, 0)
    if (decoded > bytes) throw new Error(`${decoded} bytes of bodies from a message of ${bytes}`)
    return 'fine'
  } catch (error) {
    if (SluiceError.is(error)) return error.code
    throw error
  }
}

t.test('random bytes are refused, or decode; never anything else', async _t => {
  const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 })
  const allowed = ['INVALID_REQUEST', 'FRAME_TOO_LARGE', 'fine']
  fc.assert(
    fc.property(parts, random => allowed.includes(outcome(random))),
    { numRuns: 2000 },
  )
})

t.test('a message with damage anywhere is refused, or decodes within its own bytes', async _t => {
  const whole = Buffer.concat(
    encodeFrame({ id: 1, api: 'produce', partitions: [{ p: 1 }] }, [new Uint8Array(50)]),
  )
  const place = fc.nat({ max: whole.length - 1 })
  fc.assert(
    fc.property(place, fc.nat({ max: 255 }), place, (at, byte, end) => {
      const damaged = Buffer.from(whole)
      damaged[at] = byte
      const outcomes = [outcome([damaged]), outcome([damaged.subarray(0, end)])]
      return outcomes.every(code => ['INVALID_REQUEST', 'FRAME_TOO_LARGE', 'fine'].includes(code))
    }),
    { numRuns: 2000 },
  )
})

t.test('hostile lengths in header.body never reserve memory', async _t => {
  const lengths = fc.array(
    fc.oneof(
      fc.nat({ max: 20 }),
      fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 40, 2 ** 53 - 1, 2 ** 53, 1e300, '7', null, true, [1]),
    ),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(lengths, list => {
      const before = process.memoryUsage().arrayBuffers
      const code = outcome(message(JSON.stringify({ id: 1, body: list }), 'xxxxxxxxxx'))
      const reserved = process.memoryUsage().arrayBuffers - before
      const isRight =
        list.every(n => Number.isInteger(n) && Number(n) >= 0) &&
        list.reduce<number>((a, n) => a + Number(n), 0) === 10
      return reserved < 1_000_000 && (code === 'fine') === isRight
    }),
    { numRuns: 500 },
  )
})

const refused: [string, Uint8Array[], RegExp][] = [
  ['no bytes', [], /shorter than its length field/],
  ['three bytes', [Uint8Array.of(0, 0, 0)], /shorter than its length field/],
  ['a header length past the end', message('{}', '', 3), /past the end/],
  ['a header that is not JSON', message('{"id":'), /not JSON/],
  ['a header that is not UTF-8', message(Uint8Array.of(0x22, 0xff, 0x22)), /not JSON in UTF-8/],
  ['an empty header', message(''), /not JSON/],
  ['a header that is a list', message('[1]'), /not a JSON object/],
  ['a header that is null', message('null'), /not a JSON object/],
  ['body lengths that are no list', message('{"body":3}', 'abc'), /not a list/],
  ['a negative body length', message('{"body":[-1]}'), /not a length/],
  ['bodies shorter than announced', message('{"body":[4]}', 'abc'), /4 bytes announced, 3 sent/],
  ['bodies longer than announced', message('{"body":[2]}', 'abc'), /2 bytes announced, 3 sent/],
  ['bytes that no length covers', message('{}', 'abc'), /0 bytes announced, 3 sent/],
]
for (const [name, parts, reason] of refused) {
  t.test(`refused with INVALID_REQUEST: ${name}`, async t => {
    t.throws(() => decodeFrame(parts, maxHeaderBytes), { code: 'INVALID_REQUEST', message: reason })
  })
}

t.test('a header over the limit is FRAME_TOO_LARGE, whether or not it is there', async t => {
  const json = JSON.stringify({ text: 'x'.repeat(100) })
  t.equal(outcome(message(json), json.length), 'fine')
  t.equal(outcome(message(json), json.length - 1), 'FRAME_TOO_LARGE')
  t.equal(outcome(message('{}', '', 2 ** 32 - 1)), 'FRAME_TOO_LARGE')
})

t.test('nesting is limited before JSON is parsed, and brackets in text do not count', async t => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  t.equal(outcome(message(nested(maxHeaderNesting))), 'fine')
  t.equal(outcome(message(nested(maxHeaderNesting + 1))), 'INVALID_REQUEST')
  t.equal(outcome(message(JSON.stringify({ a: '[{"'.repeat(50), '\\"': '[' }))), 'fine')
})

t.test('the number of bodies is limited, and empty ones cost nothing', async t => {
  const list = (count: number) => message(`{"body":[${new Array(count).fill(0)}]}`)
  const { bodies } = decodeFrame(list(1000), maxHeaderBytes)
  t.equal(new Set(bodies).size, 1, 'empty bodies are one and the same')
  const codeOf = (count: number) => outcome(list(count), 2 ** 20)
  t.equal(codeOf(maxFrameBodies), 'fine')
  t.equal(codeOf(maxFrameBodies + 1), 'INVALID_REQUEST')
})

t.test('a __proto__ in the header pollutes nothing', async t => {
  const { header } = decodeFrame(message('{"__proto__":{"isAdmin":true}}'), maxHeaderBytes)
  t.equal(Object.getPrototypeOf(header), Object.prototype)
  t.notOk('isAdmin' in {})
})
