/**
 * The planted bugs: each still applies to today's sources, and two of them are hunted from end to
 * end, one by a unit test and one by the simulator. `npm run plants` hunts all.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compiledPath, readSource } from '../support/repository.ts'
import { control, huntPlant } from './hunt.ts'
import { defaultBudget, filesOf, runLayer } from './layers.ts'
import { applyEdits, edit, type Plant } from './plant.ts'
import { allPlants } from './plants/all-plants.ts'
import { mergeRows, rowOf } from './record.ts'
import { huntedLines, summaryLines, totalsOf } from './table.ts'
import { TestFiles } from './test-files.ts'
import { compiledPlant, makeWorkspace } from './workspace.ts'

function named(name: string): Plant {
  const found = allPlants.find(plant => plant.name === name)
  if (found === undefined) throw new Error(`no plant is named ${name}`)
  return found
}

t.test('every plant applies to the sources of today, and compiles to something else', async t => {
  const broken = allPlants.flatMap(plant => {
    try {
      const texts = compiledPlant(plant)
      const same = [...texts].filter(([file, text]) => text === readSource(file))
      return texts.size === 0 || same.length > 0 ? [`${plant.name}: changes nothing`] : []
    } catch (error) {
      return [`${plant.name}: ${String(error)}`]
    }
  })
  t.strictSame(broken, [])
})

t.test('every rule of the storage design is broken, and fourteen promises more', async t => {
  const rules = new Set(allPlants.map(({ rule }) => rule))
  const missing = Array.from({ length: 16 }, (_, i) => `S${i + 1}`).filter(r => !rules.has(r))
  t.strictSame(missing, [])
  t.ok(allPlants.filter(({ rule }) => !/^S\d+$/.test(rule)).length >= 14)
  const names = allPlants.map(({ name }) => name)
  t.strictSame(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  )
})

t.test('a hunt of one plant leaves the recorded rows of the others', async t => {
  const at = { commit: 'c', date: 'd' }
  const [first, second] = allPlants
  if (first === undefined || second === undefined) throw new Error('there are plants')
  const row = (plant: Plant) => rowOf({ plant, findings: [], seconds: 1 }, at)
  const gone = { ...row(first), name: 'a plant of yesterday' }
  const rows = mergeRows([gone, row(second)], { ...row(first), commit: 'later' }, allPlants)
  t.match(rows, [
    { name: first.name, commit: 'later' },
    { name: second.name, commit: 'c' },
  ])
  t.equal(rows.length, 2)
})

t.test('a text that is not there, or is there twice, is no plant', async t => {
  t.equal(applyEdits('a b c', [edit('x.ts', 'b', 'd'), edit('x.ts', 'd c', 'e')]), 'a e')
  t.throws(() => applyEdits('a b c', [edit('x.ts', 'd', '')]), /0 places in x.ts read "d"/)
  t.throws(() => applyEdits('a b a', [edit('x.ts', 'a', '')]), /2 places in x.ts read "a"/)
})

t.test('a unit test finds a plant in a copy, and the tree stays as it was', async t => {
  const plant = named('epoch-beyond-int16')
  const compiled = compiledPath('client/producer/partition-sequences.ts')
  const before = readFileSync(compiled, 'utf8')
  const tests = new TestFiles()
  t.teardown(() => tests.end())
  const options = { layers: ['unit' as const], depth: 'twice' as const, budget: defaultBudget }
  const { findings } = await huntPlant(plant, options, tests)
  t.match(findings, [{ layer: 'unit', by: 'after epoch 32767 a new producer id is taken' }])
  t.equal(readFileSync(compiled, 'utf8'), before)
  const { folder, remove } = makeWorkspace(null)
  t.teardown(remove)
  const [near = []] = filesOf('unit', 'client/producer/partition-sequences.ts')
  t.equal(
    await new TestFiles().firstFailure(folder, near),
    null,
    'and finds nothing where there is no plant',
  )
  const same = readFileSync(join(folder, 'dist/client/producer/partition-sequences.js'), 'utf8')
  t.equal(same, before)
})

t.test('the simulator finds a plant, and says after how many seeds', async t => {
  const { folder, remove } = makeWorkspace(named('ack-before-fsync'))
  t.teardown(remove)
  const budget = { ...defaultBudget, otherFirstSeeds: [] }
  const place = { folder, file: 'broker/storage/log-writer.ts' }
  const finding = await runLayer('sim', place, { budget, tests: new TestFiles() })
  t.match(finding, { layer: 'sim', by: /seed \d+/, seeds: { needed: [Number] } })
})

t.test('without a plant seeds pass, and it is said how many were run', async t => {
  t.same(await control({ ...defaultBudget, seeds: 2 }), [
    'without a plant 2 seeds of storage-log pass',
    'without a plant 2 seeds of one-broker pass',
  ])
})

t.test('what nothing found, and what only one layer found, is said', async t => {
  const seeds = { scenario: 'one-broker', seed: 7, needed: [7, null, 3] }
  const hunted = [
    {
      plant: named('ack-before-fsync'),
      findings: [{ layer: 'sim' as const, by: 'it is gone', seconds: 2, seeds }],
      seconds: 3,
    },
    { plant: named('lock-not-taken'), findings: [], seconds: 3 },
  ]
  t.match(huntedLines(hunted[0] as never), /found .*\n.*seed 7, 7 tried, median 7 of 3 starts/)
  t.match(huntedLines(hunted[1] as never), /^NOT FOUND S3 +lock-not-taken/)
  const totals = totalsOf(hunted)
  t.match(totals, { plants: 2, found: 1, harmful: 1, harmfulFoundTwice: 0 })
  t.match(summaryLines(totals, 5), /1 of 2 found .*\nby one layer only: ack-before-fsync\n5 s/)
})
