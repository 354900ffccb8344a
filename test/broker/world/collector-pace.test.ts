/** Tests of collector-pace.ts: how often V8 collects everything, in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { growthPercent, spareBytes } from '../../../broker/world/collector-pace.ts'

const MiB = 1024 * 1024

t.test('the fewer objects, the larger the factor; the spare bytes stay the same', async t => {
  for (const live of [8 * MiB, 20 * MiB, 60 * MiB]) {
    const grown = (live * growthPercent(live)) / 100
    t.ok(Math.abs(grown - spareBytes) < MiB, `${live / MiB} MiB grow by ${grown / MiB} MiB`)
  }
})

t.test("a heap of many objects follows V8's own rule", async t => {
  t.equal(growthPercent(65 * MiB), 0)
  t.equal(growthPercent(4096 * MiB), 0)
})

t.test('a heap that is nearly empty does not get a factor without bound', async t => {
  t.equal(growthPercent(0), 800)
  t.equal(growthPercent(MiB), 800)
})

const moduleUrl = (path: string): string => JSON.stringify(new URL(path, import.meta.url))

/**
 * A process with as many objects as a broker, that takes in 1 MiB of buffers every 4 ms and keeps
 * the last 16 MiB.
 */
const busyProgram = `
  import { realTimers } from ${moduleUrl('../../../protocol/real-world.js')}
  import { paceCollector } from ${moduleUrl('../../../broker/world/collector-pace.js')}
  const objects = Array.from({ length: 60_000 }, (_, i) => ({ i, text: 'x' + i }))
  gc()
  if (process.argv[1] === 'paced') paceCollector(realTimers)
  const kept = []
  const round = left => {
    kept.push(Array.from({ length: 16 }, () => Buffer.allocUnsafeSlow(65536)))
    if (kept.length > 16) kept.shift()
    if (left > 0) setTimeout(round, 4, left - 1)
    else console.log(objects.length)
  }
  round(400)
`

async function fullCollections(how: 'paced' | 'unpaced'): Promise<number> {
  const flags = ['--trace-gc', '--expose-gc', '--input-type=module']
  const child = spawn(process.execPath, [...flags, '--eval', busyProgram, how])
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child, 'close')
  return output.match(/Mark-Compact/g)?.length ?? 0
}

t.test('a process that moves many buffers collects everything far less often', async t => {
  const counts = await Promise.all([fullCollections('paced'), fullCollections('unpaced')])
  const [paced, unpaced] = counts
  t.ok(paced > 0 && paced * 2 <= unpaced, `${paced} full collections, ${unpaced} without the pace`)
})
