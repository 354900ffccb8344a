/** Tail cache: against a plain list of batches, with two logs under one budget. */
import fc from 'fast-check'
import t from 'tap'
import { type LogTail, type TailBatch, TailCache } from '../../../broker/storage/tail-cache.ts'

function batchAt(baseOffset: number, records: number, bytes: number): TailBatch {
  const content = new Uint8Array(bytes).fill(baseOffset % 251)
  return { baseOffset, lastOffset: baseOffset + records - 1, maxTimestamp: 0, bytes: content }
}

class Model {
  readonly tail: LogTail
  batches: TailBatch[] = []
  committed = 0
  end = 0

  constructor(cache: TailCache) {
    this.tail = cache.openTail()
  }

  /** What is cached is a run that ends at the log end and holds all that is not committed. */
  problem(): string | null {
    const start = this.tail.startOffset
    const kept = this.batches.filter(batch => batch.baseOffset >= start)
    const open = this.batches.find(batch => batch.lastOffset >= this.committed)
    if (open !== undefined && start > open.baseOffset) return 'an uncommitted batch is gone'
    for (const { baseOffset, bytes } of kept) {
      const read = this.tail.read(baseOffset, this.end, 1)
      if (read.length !== 1 || Buffer.compare(read[0] ?? bytes.subarray(1), bytes) !== 0) {
        return `offset ${baseOffset} reads wrong`
      }
    }
    for (const from of kept) {
      for (const to of kept) {
        const wanted = kept.filter(
          b => b.lastOffset >= from.baseOffset && b.lastOffset < to.lastOffset,
        )
        const bytes = wanted.reduce((sum, batch) => sum + batch.bytes.byteLength, 0)
        const counted = this.tail.readableBytes(from.baseOffset, to.lastOffset, 1e9)
        if (counted !== bytes) return `${counted} bytes counted where ${bytes} are`
      }
      const least = this.tail.readableBytes(from.lastOffset, this.end, 1)
      if (least !== from.bytes.byteLength) return 'the first batch does not count whole'
    }
    const all = Buffer.concat(start === Infinity ? [] : this.tail.read(start, this.end, 1e9))
    return all.equals(Buffer.concat(kept.map(batch => batch.bytes))) ? null : 'not contiguous'
  }

  get cachedBytes(): number {
    const start = this.tail.startOffset
    const kept = this.batches.filter(batch => batch.baseOffset >= start)
    return kept.reduce((sum, batch) => sum + batch.bytes.byteLength, 0)
  }
}

t.test('two logs under one budget: contiguous, uncommitted kept, and the books add up', async t => {
  const step = fc.record({
    log: fc.boolean(),
    what: fc.constantFrom('append', 'append', 'append', 'commit', 'drop', 'clear'),
    records: fc.integer({ min: 1, max: 4 }),
    bytes: fc.integer({ min: 61, max: 900 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), steps => {
      const cache = new TailCache(3000)
      const models = [new Model(cache), new Model(cache)] as const
      for (const { log, what, records, bytes } of steps) {
        const model = models[log ? 0 : 1]
        if (what === 'append') {
          const batch = batchAt(model.end, records, bytes)
          model.tail.append(batch)
          model.batches.push(batch)
          model.end += records
        } else if (what === 'commit') {
          model.committed = model.end
          model.tail.commit(model.end)
        } else if (what === 'drop') {
          model.tail.dropFrom(model.committed)
          model.batches = model.batches.filter(batch => batch.lastOffset < model.committed)
          model.end = model.committed
        } else if (model.committed === model.end) {
          model.tail.clear()
          model.batches = []
        }
        for (const one of models) {
          const problem = one.problem()
          if (problem !== null) throw new Error(problem)
        }
        const cached = models[0].cachedBytes + models[1].cachedBytes
        if (cache.usedBytes !== cached) throw new Error(`${cache.usedBytes} != ${cached}`)
      }
      for (const model of models) model.tail.commit(model.end)
      return cache.usedBytes <= 3000
    }),
  )
  t.pass()
})

t.test('a log whose disk hangs does not keep the others from giving memory back', async t => {
  const cache = new TailCache(10_000)
  const stuck = new Model(cache)
  const busy = new Model(cache)
  for (let i = 0; i < 5; i++) stuck.tail.append(batchAt(i, 1, 500))
  for (let i = 0; i < 1000; i++) {
    busy.tail.append(batchAt(i, 1, 500))
    busy.tail.commit(i + 1)
  }
  t.ok(cache.usedBytes <= 10_000, `${cache.usedBytes} bytes`)
  t.equal(stuck.tail.startOffset, 0)
})

t.test(
  'a small batch does not pin the message it came in; a large one is charged for it',
  async t => {
    const cache = new TailCache(1e9)
    const tail = cache.openTail()
    const message = new Uint8Array(8 * 1024 * 1024)
    const kept = tail.append({ ...batchAt(0, 1, 1), bytes: message.subarray(100, 300) })
    t.equal(kept.bytes.buffer.byteLength, 200)
    t.equal(cache.usedBytes, 200)
    const large = tail.append({ ...batchAt(1, 1, 1), bytes: message.subarray(0, 70_000) })
    t.equal(large.bytes.buffer, message.buffer)
    t.equal(cache.usedBytes, 200 + message.byteLength)
    tail.clear()
    t.equal(cache.usedBytes, 0)
  },
)

t.test(
  'reads join small batches, hand large ones out as they are, and obey the credit',
  async t => {
    const cache = new TailCache(1e9)
    const tail = cache.openTail()
    const sizes = [100, 200, 70_000, 300, 400]
    for (const [i, size] of sizes.entries()) tail.append(batchAt(i, 1, size))
    const lengths = (bodies: Uint8Array[]) => bodies.map(body => body.byteLength)
    t.strictSame(lengths(tail.read(0, 5, 1e9)), [300, 70_000, 700])
    t.strictSame(lengths(tail.read(0, 4, 1e9)), [300, 70_000, 300], 'nothing at or above the end')
    t.strictSame(lengths(tail.read(1, 5, 250)), [200])
    t.strictSame(lengths(tail.read(2, 5, 1)), [70_000], 'the first always whole')
    t.equal(tail.readableBytes(0, 5, 1e9), 71_000)
    t.equal(tail.readableBytes(0, 2, 1e9), 300)
  },
)
