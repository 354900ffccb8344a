/**
 * Curve of record sizes: x bytes per value, produced as fast as acked, consumed, and one at a time.
 *
 * Always true: what was acked is read back, each record by number, length and last byte, since more
 * would be measured too; 8 MiB are in the air, but 65,536 records at most, which is less below 112
 * bytes: more promises than that measure the garbage collector.
 * Played by run.ts.
 */
import { closedLoop } from '../support/closed-loop.ts'
import { NumberedCheck, NumberedValues } from '../support/numbered-values.ts'
import { CpuMeter } from '../support/process-usage.ts'
import type { CurvePlan, CurveTools, Figures } from './curve.ts'
import { endOf, medianMs, withBroker } from './ground.ts'

const topicName = 'sized'
const bytesInTheAir = 8 * 1024 * 1024
const mostInTheAir = 65_536
const overheadBytes = 16

async function measure(tools: CurveTools, sizeBytes: number): Promise<Figures> {
  return withBroker(tools, [], async ({ client, broker }) => {
    await client.admin.topics.create({ name: topicName })
    const topic = client.topic(topicName)
    const window =
      Math.max(4, Math.min(mostInTheAir, bytesInTheAir / (sizeBytes + overheadBytes))) | 0
    const values = new NumberedValues(sizeBytes, 2 * window)
    const send = () => topic.send({ value: values.take() })
    await closedLoop({ window, endMs: endOf(tools, 0.25), send })
    const cpu = new CpuMeter(broker.pid)
    const loop = await closedLoop({ window, endMs: endOf(tools), send })
    const produceBrokerUs = ((cpu.usedSeconds ?? Number.NaN) / loop.answered) * 1e6
    const single = await medianMs(tools, send)
    const check = new NumberedCheck(sizeBytes, 2 * window, 'last byte')
    const startMs = performance.now()
    const consumer = client.consumer({ topics: [topicName], stopAtEnd: true })
    for await (const batch of consumer.batches()) {
      for (const { value } of batch) if (value !== null) check.saw(value)
    }
    const seconds = (performance.now() - startMs) / 1000
    await consumer.close()
    check.require(values.taken)
    return {
      produceRate: loop.answered / loop.seconds,
      produceMb: (loop.answered * sizeBytes) / loop.seconds / 1e6,
      produceBrokerUs,
      consumeRate: check.count / seconds,
      consumeMb: (check.count * sizeBytes) / seconds / 1e6,
      singleMs: single.ms,
    }
  })
}

export const recordSizeCurve: CurvePlan = {
  name: 'record-size',
  title: 'One partition, larger and larger records',
  x: 'bytes of a value',
  points: {
    full: [10, 100, 1024, 10_240, 102_400, 1_048_576],
    quick: [10, 100, 1024, 10_240, 102_400, 1_048_576],
    tiny: [10, 100, 1024, 10_240],
  },
  conditions:
    'flush=commit, acks=all, one producer with 8 MiB in the air, 65,536 records at most; ' +
    'one consumer.',
  series: [
    {
      key: 'produceRate',
      label: 'Produce',
      unit: 'records/s',
      good: 'more',
      cause: 'Up to there the cost is per record, beyond it per byte.',
    },
    {
      key: 'produceMb',
      label: 'Produce, bytes',
      unit: 'MB/s',
      good: 'more',
      cause: 'From there on a record costs its bytes: copied, sent, checksummed, written, fsynced.',
    },
    {
      key: 'produceBrokerUs',
      label: 'Broker CPU of a record',
      unit: 'µs',
      good: 'less',
      cause: 'Copying, checksum and writing, per byte.',
    },
    {
      key: 'consumeRate',
      label: 'Consume, each record looked at',
      unit: 'records/s',
      good: 'more',
      cause: 'Up to there the cost is an object per record, beyond it per byte.',
    },
    {
      key: 'consumeMb',
      label: 'Consume, bytes',
      unit: 'MB/s',
      good: 'more',
      cause: 'Each byte crosses the loopback and is checksummed.',
    },
    {
      key: 'singleMs',
      label: 'One awaited send',
      unit: 'ms',
      good: 'less',
      cause: 'Writing and fsyncing the bytes takes longer than the fsync itself.',
    },
  ],
  open: async tools => ({ measure: x => measure(tools, x), close: async () => {} }),
}
