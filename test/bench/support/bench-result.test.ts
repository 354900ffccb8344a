/** BenchResult: a record of some entries leaves the others as they were. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type ResultEntry, writeBenchResult } from '../../../bench/support/bench-result.ts'

t.test('an entry replaces that of its name, each with its own conditions', async t => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-result-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  const directory = join(root, 'out')
  const entry = (name: string, value: number): ResultEntry & { value: number } => ({ name, value })
  writeBenchResult(directory, 'lane', [entry('a', 1), entry('b', 1)], { size: 'full' })
  const path = writeBenchResult(directory, 'lane', [entry('b', 2)], { size: 'quick' })
  const { entries } = JSON.parse(await readFile(path, 'utf8'))
  t.match(entries, [
    { name: 'a', value: 1, size: 'full', commit: String, date: String, treeChanged: Boolean },
    { name: 'b', value: 2, size: 'quick', commit: String },
  ])
  t.equal(entries.length, 2)
})
