/**
 * The short form of the fuzz lane: the corpus, then some ten seconds over all targets, always the
 * same executions; and that each target still reaches behind every check that it is there for.
 */
import t from 'tap'
import { corpusFiles } from './corpus.ts'
import { Engine, type RangeResult } from './engine.ts'
import { targets } from './targets.ts'

const seed = 20_261_124
/** About so much processor time for each target, by its speed on an idle core. */
const executions: Readonly<Record<string, number>> = {
  numbers: 60_000,
  large: 20,
  frame: 20_000,
  header: 30_000,
  batch: 10_000,
  unpack: 5000,
  'unpack-zstd': 1500,
  request: 2500,
  answer: 6000,
  sdk: 150,
  files: 15_000,
  log: 150,
  text: 8000,
  websocket: 150,
}

const found = ({ findings }: RangeResult) =>
  findings.map(({ index, what, detail }) => ({ index, what, detail }))

for (const target of targets) {
  const { name } = target
  const files = corpusFiles(name)
  t.test(`${name}: what once broke it breaks nothing (${files.length} inputs)`, async t => {
    const engine = new Engine(target, { keepStacks: true })
    const result = await engine.replay(files.map(({ input }) => input))
    const named = found(result).map(one => ({ ...one, file: files[-1 - one.index]?.name }))
    t.same(named, [])
    t.equal(result.executions > 0 && result.executions === files.length, true)
  })

  t.test(`${name}: a few thousand inputs find nothing and reach every check`, async t => {
    const to = executions[name] ?? 0
    const result = await new Engine(target).run({ seed, from: 0, to })
    t.same(found(result), [])
    t.equal(result.executions, to)
    const missed = target.reaches.filter(stage => (result.stages[stage] ?? 0) === 0)
    t.same(missed, [], `of ${Object.keys(result.stages).join(', ')}`)
  })
}
