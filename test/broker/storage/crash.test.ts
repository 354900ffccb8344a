/**
 * Small workloads, crashed before each call to the disk, with each way to lose what was not synced.
 */
import t, { type Test } from 'tap'
import { crc32c } from '../../../protocol/bytes/crc32c.ts'
import type { DiskImage } from '../../simulation/platter.ts'
import { type CrashCase, checkCrash } from '../../support/crash-check.ts'
import type { CrashDisk } from '../../support/crash-disk.ts'
import { plansFor } from '../../support/crash-plans.ts'
import { CrashRun, type Promised, type RunOptions } from '../../support/crash-run.ts'

interface Workload {
  readonly name: string
  readonly settings?: RunOptions['settings']
  readonly steps: (run: CrashRun) => Promise<void>
}

const settings = { segmentBytes: 400, indexIntervalBytes: 100, segmentMs: 3_600_000 }

const workloads: Workload[] = [
  {
    name: 'appends, one by one and several in a round',
    steps: async run => {
      run.append(1)
      await run.settle()
      run.append(2, { idempotent: true })
      run.append(1, { idempotent: true })
      run.append(3)
      await run.settle()
      run.append(1, { idempotent: true })
      await run.settle()
    },
  },
  {
    name: 'rolls, with a checkpoint between them',
    steps: async run => {
      for (let i = 0; i < 5; i++) {
        run.append(3, { idempotent: i % 2 === 0 })
        run.append(2)
        await run.settle()
        if (i === 2) await run.tick()
      }
      await run.tick()
      run.append(1)
      await run.settle()
    },
  },
  {
    name: 'a batch of several pages and one above segment.bytes',
    steps: async run => {
      run.append(2, { valueBytes: 5000 })
      run.append(1, { valueBytes: 200 })
      await run.settle()
      run.append(1, { valueBytes: 9000 })
      await run.settle()
    },
  },
  {
    name: 'trims between rolls',
    steps: async run => {
      for (let i = 0; i < 4; i++) {
        run.append(4, { idempotent: true })
        run.append(3)
        await run.settle()
      }
      await run.trim(9)
      run.append(1)
      await run.trim(17)
      run.append(4)
      await run.settle()
      await run.trim(run.log.highWatermark)
      run.append(1)
      await run.settle()
    },
  },
  {
    name: 'retention and an idle roll',
    settings: { retentionBytes: 500 },
    steps: async run => {
      for (let i = 0; i < 6; i++) {
        run.append(5, { idempotent: i < 2 })
        await run.settle()
      }
      await run.tick(400_000)
      run.append(1)
      await run.tick(3_700_000)
      run.append(1)
      await run.settle()
    },
  },
  {
    name: 'clean restarts, two in a row, and a roll after them',
    steps: async run => {
      run.append(3, { idempotent: true })
      run.append(5)
      await run.settle()
      await run.restart()
      await run.restart()
      run.append(6, { idempotent: true })
      await run.settle()
      await run.restart()
      run.append(6)
      await run.settle()
    },
  },
]

/** Images of the same content under the same promises are the same case. */
function keyOf(image: DiskImage, promised: Promised, path = ''): string {
  const { acked, startMin, durable } = promised
  const parts = [acked, startMin, durable]
  const inner = [...image].map(([name, content]) =>
    content instanceof Map
      ? keyOf(content, promised, `${path}/${name}`)
      : `${path}/${name}=${content.length}:${crc32c(content)}`,
  )
  return [...parts, ...inner.sort()].join(' ')
}

interface Explored {
  readonly cases: Map<string, CrashCase>
  moments: number
}

/** Notes the cases of each moment at which the disk is called. */
function watch(
  disk: CrashDisk,
  into: Explored,
  now: () => Promised,
  { options, most = Infinity }: { readonly options: RunOptions; readonly most?: number },
): void {
  const flush = options.settings.flush ?? 'commit'
  disk.before = () => {
    const promised = now()
    const add = (image: DiskImage, required: number) => {
      const key = keyOf(image, promised)
      if (!into.cases.has(key)) into.cases.set(key, { image, promised, required, options })
    }
    const safe = flush === 'commit' ? promised.acked : promised.durable
    add(disk.platter.cachedImage(), promised.acked)
    for (const plan of plansFor(disk.platter, into.moments).slice(0, most)) {
      add(disk.platter.imageAfterPowerLoss(plan), safe)
    }
    into.moments++
    return undefined
  }
}

for (const flush of ['commit', 'os'] as const) {
  for (const workload of workloads) {
    t.test(
      `${workload.name}: a crash at any moment loses nothing acked (flush=${flush})`,
      async t => {
        const options = { settings: { ...settings, ...workload.settings, flush } }
        const run = new CrashRun(options)
        const explored: Explored = { cases: new Map(), moments: 0 }
        watch(run.disk, explored, () => run.promised(), { options })
        await run.open()
        await workload.steps(run)
        t.strictSame(run.fixture.deaths, [])
        t.strictSame(run.errors, [])
        await checkAll(t, explored)
      },
    )
  }
}

async function checkAll(t: Test, explored: Explored): Promise<void> {
  const nested: Explored = { cases: new Map(), moments: 0 }
  let n = 0
  for (const crash of explored.cases.values()) {
    const watchIt = (disk: CrashDisk) => {
      // The first crash may have taken what was acked but not promised to survive it.
      const promised = { ...crash.promised, acked: crash.required, durable: crash.required }
      const { options } = crash
      watch(disk, nested, () => promised, { options, most: 2 })
    }
    // Every ninth recovery is crashed in turn, at each of its calls.
    if (!(await survives(t, crash, n++ % 9 === 0 ? watchIt : undefined))) return
  }
  for (const crash of nested.cases.values()) {
    if (!(await survives(t, crash))) return
  }
  const { size } = nested.cases
  t.comment(`${explored.cases.size + size} images, ${size} of them of a crashed recovery`)
  t.ok(explored.cases.size > 20, `${explored.cases.size} images at ${explored.moments} moments`)
}

async function survives(
  t: Test,
  crash: CrashCase,
  whileOpening?: (disk: CrashDisk) => void,
): Promise<boolean> {
  try {
    await checkCrash(crash, whileOpening)
    return true
  } catch (error) {
    const { acked, durable, startMin, startMax } = crash.promised
    const files = [...(crash.image.get('data') as DiskImage)].flatMap(([name, inner]) =>
      inner instanceof Map
        ? [...inner].map(([f, c]) => `${f} ${(c as Uint8Array).length}`)
        : [name],
    )
    const stack = (error as Error).stack ?? ''
    t.fail(String(error), { stack, acked, durable, startMin, startMax, files })
    return false
  }
}
