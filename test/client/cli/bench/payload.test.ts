/** Tests of payload.ts, stamp.ts, stamp-check.ts: each record says which it is, or is found out. */
import fc from 'fast-check'
import t from 'tap'
import { Payload, type PayloadPlan, type SizeRange } from '../../../../client/cli/bench/payload.ts'
import { jsonStampEnd, readStamp } from '../../../../client/cli/bench/stamp.ts'
import { StampCheck } from '../../../../client/cli/bench/stamp-check.ts'
import { realClock, realRandom } from '../../../../protocol/real-world.ts'

const plan = (size: SizeRange, more: Partial<PayloadPlan> = {}): PayloadPlan => ({
  size,
  value: 'random',
  keys: 'none',
  isStamped: true,
  isCompressed: false,
  ...more,
})

const empty = new Uint8Array()

const payloadOf = (given: PayloadPlan, source = 513): Payload =>
  new Payload(given, source, realRandom())

/** A slot is written again later. */
const nextBytes = (payload: Payload): Uint8Array => (payload.next().value ?? empty).slice()

t.test('every value carries its number and source, in both forms and at every size', async t => {
  for (const value of ['random', 'json'] as const) {
    const min = value === 'json' ? jsonStampEnd + 2 : 10
    const payload = payloadOf(plan({ min, max: 300 }, { value }))
    for (let sequence = 0; sequence < 1000; sequence++) {
      const { value: bytes } = payload.next()
      const stamp = readStamp(bytes ?? empty)
      if (stamp?.source !== 513 || stamp.sequence !== sequence) t.fail(`${value} ${sequence}`)
      if (value === 'json') JSON.parse(new TextDecoder().decode(bytes ?? undefined))
    }
  }
  t.pass('all are right')
})

t.test('any changed byte of a value is noticed', async t => {
  for (const value of ['random', 'json'] as const) {
    const payload = payloadOf(plan({ min: 64, max: 200 }, { value }))
    fc.assert(
      fc.property(fc.nat(199), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const bytes = nextBytes(payload)
        const at = place % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ change
        return readStamp(bytes) === null
      }),
      { numRuns: 2000 },
    )
    t.pass(value)
  }
})

t.test('a value that is cut, or that nobody stamped, has no stamp', async t => {
  const bytes = nextBytes(payloadOf(plan({ min: 100, max: 100 })))
  t.not(readStamp(bytes), null)
  t.equal(readStamp(bytes.subarray(0, 99)), null)
  t.equal(readStamp(bytes.subarray(0, 9)), null)
  t.equal(readStamp(new Uint8Array(100)), null)
  t.equal(readStamp(Buffer.from('{"stamp":"zz')), null)
})

t.test('bytes follow from a count, whatever the sizes and keys are', async t => {
  for (const keys of ['none', 'random', 12] as const) {
    const payload = payloadOf(plan({ min: 10, max: 90 }, { keys }))
    let bytes = 0
    for (let i = 1; i <= 500; i++) {
      const { key, value } = payload.next()
      bytes += (key?.byteLength ?? 0) + (value?.byteLength ?? 0)
      if (payload.bytesOf(i) !== bytes) t.fail(`${keys}: ${payload.bytesOf(i)} for ${bytes}`)
    }
  }
  t.pass('all are right')
})

t.test('keys are as many as asked for, and random ones are spread', async t => {
  const keysOf = (given: PayloadPlan['keys']): string[] => {
    const payload = payloadOf(plan({ min: 20, max: 20 }, { keys: given }))
    return [...Array(1000)].map(() => Buffer.from(payload.next().key ?? []).toString('hex'))
  }
  t.equal(new Set(keysOf(7)).size, 7)
  t.equal(new Set(keysOf('random')).size, 1000)
  t.strictSame(new Set(keysOf('none')), new Set(['']))
})

t.test('a slot is written again only after all others', async t => {
  for (const isCompressed of [false, true]) {
    const payload = payloadOf(plan({ min: 50, max: 50 }, { isCompressed }), 1)
    const first = payload.next().value ?? empty
    let slots = 0
    let whole = 0
    do {
      if (readStamp(first)?.sequence === 0) whole++
      slots++
    } while (payload.next().value !== first)
    t.ok(slots * 52 > (isCompressed ? 8_000_000 : 130_000), `${slots} slots`)
    t.equal(whole, slots, 'until then it is the first record')
    t.equal(readStamp(first)?.sequence, slots)
  }
})

t.test('making a record costs next to nothing', async t => {
  const payload = payloadOf(plan({ min: 100, max: 100 }), 1)
  const costs = [...Array(5)].map(() => payload.costNs(realClock))
  // 20 ns are 5 % of a core at 2.5 million records a second; a busy machine may be slower
  t.ok(Math.min(...costs) < 100, `${Math.min(...costs)} ns`)
})

t.test(
  'what is lost, repeated, moved or changed is counted, and the first fault named',
  async t => {
    const payload = payloadOf(plan({ min: 40, max: 60 }), 9)
    const values = [...Array(100)].map(() => nextBytes(payload))
    const verify = (order: readonly (Uint8Array | null)[]) => {
      const check = new StampCheck()
      for (const [offset, value] of order.entries()) check.see({ partition: 0, offset }, value)
      return check.result(new Map([[9, 100]]))
    }
    t.match(verify(values), { isSound: true, records: 100, expected: 100, firstFault: null })
    t.match(verify(values.toSpliced(57, 1)), {
      missing: 1,
      repeated: 0,
      outOfOrder: 0,
      corrupt: 0,
      isSound: false,
      firstFault: 'record 57 of source 9 is missing',
    })
    t.match(verify(values.toSpliced(57, 0, values[56] ?? empty)), {
      repeated: 1,
      missing: 0,
      isSound: false,
      firstFault: 'offset 57 of partition 0 repeats record 56',
    })
    const [a = empty, b = empty] = [values[10], values[11]]
    t.match(verify(values.toSpliced(10, 2, b, a)), {
      outOfOrder: 1,
      missing: 0,
      corrupt: 0,
      isSound: false,
      firstFault: 'offset 11 of partition 0 holds record 10 after record 11',
    })
    const changed = Uint8Array.from(values[3] ?? [])
    changed[39] = (changed[39] ?? 0) ^ 1
    t.match(verify(values.toSpliced(3, 1, changed)), { corrupt: 1, missing: 1, isSound: false })
    t.match(
      verify(values.map((value, i) => (i === 3 ? null : value))),
      { corrupt: 1, isSound: false },
      'a tombstone',
    )
  },
)

t.test('records that no bench wrote are not taken for damaged ones of a bench', async t => {
  const seen = (made: (i: number) => Uint8Array) => {
    const check = new StampCheck()
    for (let i = 0; i < 5000; i++) check.see({ partition: 0, offset: i }, made(i))
    return check.sawBench
  }
  const padded = (i: number) => String(i).padStart(6, '0')
  for (const before of ['', 'a', 'ab', 'abc', 'abcd']) {
    t.equal(
      seen(i => Buffer.from(`${before}${padded(i)} is the same in each`)),
      false,
      before,
    )
  }
  const { bytes } = realRandom()
  t.equal(
    seen(() => bytes(100)),
    false,
  )
  t.equal(
    seen(() => empty),
    false,
  )
  const stamped = payloadOf(plan({ min: 20, max: 20 }))
  const damaged = seen(() => {
    const value = nextBytes(stamped)
    value[15] = (value[15] ?? 0) ^ 1
    return value
  })
  t.equal(damaged, true)
})

t.test('sources and partitions are each in an order of their own', async t => {
  const check = new StampCheck()
  const sources = [1, 2].map(source => payloadOf(plan({ min: 20, max: 20 }), source))
  for (let i = 0; i < 50; i++) {
    for (const payload of sources) {
      check.see({ partition: i % 3, offset: i }, nextBytes(payload))
    }
  }
  const expected = new Map([
    [1, 50],
    [2, 50],
  ])
  t.match(check.result(expected), { isSound: true, records: 100 })
})
