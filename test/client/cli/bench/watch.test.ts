/** Tests of watch.ts: intervals of a meter, and a line each five seconds. */
import t from 'tap'
import { BenchMeter } from '../../../../client/cli/bench/meter.ts'
import { Watch } from '../../../../client/cli/bench/watch.ts'
import type { CommandContext } from '../../../../client/cli/command.ts'
import { Output } from '../../../../client/cli/output.ts'
import { ManualWorld } from '../../../support/manual-world.ts'
import { FakeTerminal } from '../fake-terminal.ts'

async function setUp(quiet: boolean) {
  const world = await ManualWorld.make()
  const terminal = new FakeTerminal()
  const output = new Output(terminal, { form: 'table', quiet, colour: false })
  const meter = new BenchMeter(world.clock, { records: 0, ms: 7000 })
  const watch = new Watch({ terminal, world, output } as unknown as CommandContext, meter, 'acked')
  meter.start()
  /** 100 records of 10 bytes every 100 ms, each after 3 ms. */
  const load = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds * 10; i++) {
      world.nowMs += 99
      for (let n = 0; n < 100; n++) meter.latency(world.nowMs - 3)
      meter.count(100, 1000)
      await world.advance(1)
    }
  }
  return { world, terminal, meter, watch, load }
}

t.test('a line comes every five seconds, with the figures of those seconds', async t => {
  const { terminal, meter, watch, load, world } = await setUp(false)
  await load(13)
  watch.stop()
  const lines = terminal.error.split('\n')
  t.match(lines, [
    /^00:05 {2}1,0\d\d records\/s {3}0.0 MB\/s {3}p50 3.00 ms {3}p99 3.00 ms {3}\(warm-up\)$/,
    /^00:10 {2}1,0\d\d records\/s {3}0.0 MB\/s {3}p50 3.00 ms {3}p99 3.00 ms$/,
    '',
  ])
  t.equal(world.timerCount, 0, 'no timer is left')
  meter.finish()
  const { series } = meter.measured()
  t.ok(series.length >= 60 && series.length <= 67, `${series.length} intervals of 200 ms`)
  t.strictSame(new Set(series.map(sample => sample.p50)), new Set([3]))
})

t.test('under -q there is no line, but the series all the same', async t => {
  const { terminal, meter, watch, load } = await setUp(true)
  await load(6)
  watch.stop()
  meter.finish()
  t.equal(terminal.error, '')
  t.ok(meter.measured().series.length >= 28)
})
