import { mkdtemp } from 'node:fs/promises'
import { startBrokerProcess } from '../demo/broker-process.ts'
import { partitionsCurve } from './partitions.ts'

const points = process.argv.slice(2).map(Number)
const run = await partitionsCurve.open({
  newDirectory: () => mkdtemp('/tmp/curve-'),
  startBroker: (dataDir, flags = []) => startBrokerProcess({ dataDir, flags }),
  seconds: 2,
  say: () => {},
})
for (const x of points) {
  const t = performance.now()
  const f = await run.measure(x)
  console.log(
    x,
    Object.entries(f)
      .map(([k, v]) => `${k}=${v.toPrecision(3)}`)
      .join(' '),
    `${((performance.now() - t) / 1000).toFixed(1)} s`,
  )
}
