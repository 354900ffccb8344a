/** Tests of load.ts: what open and closed loops count, where a test controls the acks. */
import t from 'tap'
import { BenchLoad, type LoadOptions } from '../../../../client/cli/bench/load.ts'
import { BenchMeter } from '../../../../client/cli/bench/meter.ts'
import { Payload } from '../../../../client/cli/bench/payload.ts'
import type { OutgoingRecord, RecordAck, Topic } from '../../../../client/types/producing.ts'
import { SluiceError } from '../../../../protocol/errors.ts'
import { ManualWorld } from '../../../support/manual-world.ts'

type BytesRecord = OutgoingRecord<Uint8Array, Uint8Array>
const ack: RecordAck = { topic: 't', partition: 0, offset: 0, timestamp: 0, reached: 'fsynced' }

interface Stall {
  readonly fromMs: number
  readonly toMs: number
}

/** Acks after a millisecond, and nothing at all during the stall; times since its own start. */
class SlowTopic {
  readonly sent: BytesRecord[] = []
  failAt = Number.POSITIVE_INFINITY
  unacked = 0
  mostUnacked = 0
  readonly #world: ManualWorld
  readonly #startMs: number
  readonly #stall: Stall

  constructor(world: ManualWorld, stall: Stall) {
    this.#world = world
    this.#startMs = world.nowMs
    this.#stall = stall
  }

  send(record: BytesRecord): Promise<RecordAck> {
    const { nowMs, timers } = this.#world
    const readyMs = nowMs - this.#startMs + 1
    const { fromMs, toMs } = this.#stall
    const ackedMs = readyMs >= fromMs && readyMs < toMs ? toMs : readyMs
    this.sent.push(record)
    this.unacked++
    this.mostUnacked = Math.max(this.mostUnacked, this.unacked)
    if (this.sent.length > this.failAt) return Promise.reject(new SluiceError('DISK_FULL', 'no'))
    return new Promise(resolve => {
      timers.after(ackedMs + this.#startMs - nowMs, () => {
        this.unacked--
        resolve(ack)
      })
    })
  }
}

async function setUp(given: Partial<LoadOptions>, stall: Stall) {
  const world = await ManualWorld.make()
  const topic = new SlowTopic(world, stall)
  const meter = new BenchMeter(world.clock)
  const size = { min: 20, max: 20 }
  const plan = {
    size,
    value: 'random',
    keys: 'none',
    isStamped: true,
    isCompressed: false,
  } as const
  const load = new BenchLoad({
    world,
    meter,
    topic: topic as unknown as Topic<Uint8Array, Uint8Array>,
    payload: new Payload(plan, 7, world.random),
    count: 200,
    endMs: Number.POSITIVE_INFINITY,
    window: 1_000_000,
    burst: 1,
    sampleEvery: 1,
    signal: new AbortController().signal,
    ...given,
  })
  /** Time goes on in steps of a millisecond. */
  const run = async (loop: (startMs: number) => Promise<void>) => {
    const tick = (): void => {
      world.timers.after(1, tick)
    }
    tick()
    meter.start()
    await world.run(loop(world.nowMs))
    meter.finish()
    return meter.measured()
  }
  return { world, topic, load, run }
}

const stalled = { fromMs: 200, toMs: 700 }
const never = { fromMs: 0, toMs: 0 }

t.test(
  'an open loop shows a stall in its percentiles, although little was acked in it',
  async t => {
    const { load, run, topic } = await setUp({}, stalled)
    const { latencyMs, records, seconds } = await run(startMs => load.openLoop(startMs, 5))
    t.equal(records, 200)
    t.equal(topic.sent.length, 200)
    // half of all records were due while the broker stood still, and waited up to 500 ms
    t.ok(latencyMs.p50 < 20, `p50 ${latencyMs.p50}`)
    t.ok(latencyMs.p90 > 350 && latencyMs.p90 < 450, `p90 ${latencyMs.p90}`)
    t.ok(latencyMs.p99 > 480, `p99 ${latencyMs.p99}`)
    t.ok(latencyMs.max >= 490 && latencyMs.max < 510, `max ${latencyMs.max}`)
    t.ok(latencyMs.mean > 110 && latencyMs.mean < 140, `mean ${latencyMs.mean}`)
    t.ok(Math.abs(seconds - 1) < 0.02, `${seconds} s`)
  },
)

t.test('also when the window holds the sender back, its records count from when due', async t => {
  const { load, run, topic } = await setUp({ window: 10 }, stalled)
  const { latencyMs, records } = await run(startMs => load.openLoop(startMs, 5))
  t.equal(records, 200)
  t.ok(topic.mostUnacked <= 10, `${topic.mostUnacked} in the air`)
  t.ok(latencyMs.p99 > 480 && latencyMs.mean > 110, JSON.stringify(latencyMs))
})

t.test('a closed loop hides the same stall, which is why it is named', async t => {
  const { load, run } = await setUp({ window: 1 }, { fromMs: 100, toMs: 600 })
  const { latencyMs } = await run(() => load.awaitedLoop())
  t.ok(latencyMs.p99 < 10, `p99 ${latencyMs.p99}`)
  t.ok(latencyMs.max >= 499, `max ${latencyMs.max}`)
})

t.test('a closed loop keeps its window, and samples as often as it is told', async t => {
  const given = { count: 1000, window: 50, burst: 20, sampleEvery: 4 }
  const { load, run, topic } = await setUp(given, never)
  const { records, bytes, latencySamples } = await run(() => load.closedLoop())
  t.strictSame([records, bytes, latencySamples], [1000, 20_000, 250])
  t.equal(topic.mostUnacked, 50)
  t.equal(load.acked, 1000)
  t.equal(load.reached, 'fsynced')
})

t.test('an open loop that is hopelessly behind ends, and says what was never sent', async t => {
  const { load, run, world } = await setUp({ window: 1, endMs: 1000 + 50 }, never)
  const { records } = await run(startMs => load.openLoop(startMs, 0.1))
  t.ok(records > 20 && records <= 52, `${records} records`)
  t.equal(load.unsent, 200 - records)
  t.ok(world.nowMs < 1060)
})

t.test('a record that fails ends the load with its error, once all are settled', async t => {
  for (const loop of ['closedLoop', 'awaitedLoop'] as const) {
    const { load, run, topic } = await setUp({ window: 8, burst: 4 }, never)
    topic.failAt = 50
    await run(() => load[loop]())
    t.equal(load.failure?.code, 'DISK_FULL', loop)
    t.ok(topic.sent.length < 70, loop)
  }
})

t.test('stop ends it early; what is in the air is waited for', async t => {
  const { load, run, topic, world } = await setUp({}, never)
  world.timers.after(50, () => load.stop())
  const { records } = await run(startMs => load.openLoop(startMs, 1))
  t.ok(records >= 49 && records <= 52, `${records} records`)
  t.equal(topic.unacked, 0)
})
