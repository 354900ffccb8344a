/** The lane with workers that are lost on purpose: each is reported, and the rest is run all the same. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compiledPath } from '../support/repository.ts'
import type { Finding } from './engine.ts'
import { Lane } from './lane.ts'
import { defaults, type Target } from './target.ts'

const target: Target = {
  ...defaults,
  name: 'planted',
  weight: 1,
  maxAllocatedBytes: 2 ** 20,
  executionsPerState: 10,
  reaches: [],
  open: async () => ({ make: () => Uint8Array.of(7), run: () => 'fine' }),
}

async function run(words: readonly string[], hangMs = 30_000) {
  const found: Finding[] = []
  const lane = new Lane({
    ...{ seed: 1, executions: 40, seconds: Infinity, targets: [target], workers: 1 },
    program: { path: compiledPath('test/fuzz/fragile-worker.ts'), words, hangMs },
    onProgress: () => {},
    onFinding: finding => found.push(finding),
  })
  await lane.run()
  const told = found.map(({ index, what, inputBase64 }) => ({ index, what, inputBase64 }))
  return { found: told, ran: lane.totals[0]?.executions, missing: lane.missing }
}

t.test('however a worker is lost, it is told, and the rest is run all the same', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-fuzz-lane-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  // The start of a process must fit in, on a busy machine too.
  const hangMs = 4000
  const [none, at, hung, once] = await Promise.all([
    run(['at-once']),
    run(['at', '13']),
    run(['hang', '25'], hangMs),
    run(['once', join(directory, 'lost')]),
  ])
  const early = 'the process was lost before its first execution: it ended, SIGKILL'
  t.same(none, { found: [{ index: 0, what: early, inputBase64: '' }], ran: 0, missing: 40 })
  const dead = 'the process was lost: it ended, SIGKILL'
  t.same(at, { found: [{ index: 13, what: dead, inputBase64: 'Bw==' }], ran: 30, missing: 10 })
  const silent = 'the process was lost: it hangs'
  t.same(hung, { found: [{ index: 25, what: silent, inputBase64: 'Bw==' }], ran: 30, missing: 10 })
  t.match(once.found, [{ what: /was lost \(it ended, SIGKILL\), and was not when/ }])
  t.match(once, { ran: 40, missing: 0 })
})
