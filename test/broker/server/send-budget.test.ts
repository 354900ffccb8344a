/** Answers that are not taken yet: bounded over all connections, and small answers when it is full. */
import t from 'tap'
import { OutputMeter } from '../../../broker/server/output-meter.ts'
import { SendBudget } from '../../../broker/server/send-budget.ts'

const KiB = 1024

/** A request that wants an answer of `bytes`; notes what it was granted. */
function request(bytes: number, requestBytes = 100) {
  const seen: { granted: number | null; parked: boolean } = { granted: null, parked: false }
  const waiting = {
    bytes,
    requestBytes,
    park: () => {
      seen.parked = true
    },
    run: (grantedBytes: number) => {
      seen.granted = grantedBytes
    },
  }
  return { seen, waiting }
}

t.test('a buffer that several answers lie in counts once', async t => {
  const budget = new SendBudget(1000 * KiB)
  const slab = new Uint8Array(500 * KiB)
  const meters = [0, 1, 2].map(() => new OutputMeter(1e9, budget, () => {}))
  const taken = meters.map(meter => meter.admit([slab.subarray(0, 100 * KiB)]))
  t.equal(budget.heldBytes, 500 * KiB)
  taken[0]?.()
  taken[1]?.()
  t.equal(budget.heldBytes, 500 * KiB)
  taken[2]?.()
  t.equal(budget.heldBytes, 0)
})

t.test('the fuller it is the smaller the next answer becomes, down to 64 KiB', async t => {
  const budget = new SendBudget(8 * 1024 * KiB)
  const grants = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(() => {
    const { seen, waiting } = request(4 * 1024 * KiB)
    new OutputMeter(1e9, budget, () => {}).reserve(waiting)
    return (seen.granted ?? 0) / KiB
  })
  t.same(grants, [4096, 2048, 1024, 512, 256, 128, 64, 64, 64])
})

t.test('where the broker is short of room a connection has one answer at a time', async t => {
  const budget = new SendBudget(1024 * KiB)
  const meter = new OutputMeter(1e9, budget, () => {})
  const [first, second] = [request(1024 * KiB, 0), request(1024 * KiB, 0)]
  meter.reserve(first.waiting)
  meter.reserve(second.waiting)
  t.equal(first.seen.granted, 512 * KiB)
  t.same(second.seen, { granted: null, parked: true })
  meter.release(512 * KiB)
  t.equal(second.seen.granted, 512 * KiB)
})

t.test('a request that waits for its peer to read is the burden of that peer', async t => {
  const budget = new SendBudget(1024 * KiB)
  const meter = new OutputMeter(400 * KiB, budget, () => {})
  const taken = meter.admit([new Uint8Array(90 * KiB)])
  const { seen, waiting } = request(50 * KiB, 300)
  meter.reserve(waiting)
  t.same(seen, { granted: null, parked: true })
  t.equal(meter.heldBytes, 90 * KiB + 300)
  t.equal(budget.heldBytes, 90 * KiB + 300)
  taken?.()
  t.equal(seen.granted, 50 * KiB)
  t.equal(meter.heldBytes, 0)
  meter.release(50 * KiB)
  t.equal(budget.heldBytes, 0)
})

t.test('what waits when the connection goes runs, and gives everything back', async t => {
  const budget = new SendBudget(1024 * KiB)
  const meter = new OutputMeter(400 * KiB, budget, () => {})
  const taken = meter.admit([new Uint8Array(90 * KiB)])
  const { seen, waiting } = request(50 * KiB)
  meter.reserve(waiting)
  taken?.()
  meter.release(50 * KiB)
  meter.admit([new Uint8Array(90 * KiB)])?.()
  meter.close()
  t.equal(seen.granted, 50 * KiB)
  t.equal(budget.heldBytes, 0)
})
