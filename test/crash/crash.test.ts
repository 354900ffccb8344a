/**
 * The crash lane, bounded: every workload of up to two settled operations (of two with flush=os
 * every fifth one), every crash in it. The rest, operations that do not wait for each other, and
 * the longer ones are `npm run crash`.
 */
import t from 'tap'
import { Explorer } from './explore.ts'
import { operations } from './operations.ts'
import { type Phase, phaseName, phasesOf, spreadWordsOf, wordsOf } from './workloads.ts'

/** Words of one test: the clock of the suite starts anew with each. */
const mostWords = 60

const explorer = new Explorer()

function wordsIn({ length, flush }: Phase): string[] {
  const every = length === 2 && flush === 'os' ? 5 : 1
  return [...wordsOf(length)].filter((_, at) => at % every === 0)
}

for (const phase of phasesOf(2).filter(({ pace }) => pace === 'settled')) {
  const words = wordsIn(phase)
  for (let from = 0; from < words.length; from += mostWords) {
    const some = words.slice(from, from + mostWords)
    const which = `${some[0]} to ${some.at(-1)}`
    t.test(`a crash at any moment of ${phaseName(phase)}, breaks no promise: ${which}`, async t => {
      const before = { ...explorer.counts }
      for (const word of some) await explorer.explore({ ...phase, word })
      for (const { place, reason } of explorer.failures.splice(0)) {
        t.fail(`${place}: ${reason}`, { repeatIt: `npm run crash -- --replay ${place}` })
      }
      const { workloads, images, nestedImages } = explorer.counts
      t.equal(workloads - before.workloads, some.length)
      t.ok(images - before.images > 80, `${images - before.images} images`)
      t.comment(`${images} images, ${nestedImages} of crashed recoveries, so far`)
      t.comment(`${explorer.examiner.images} of them distinct`)
    })
  }
}

t.test('a lane that is cut off has covered words from all over, and a whole one each once', t => {
  const spread = [...spreadWordsOf(3)]
  t.same(spread.toSorted(), [...wordsOf(3)].sort())
  const some = spread.slice(0, spread.length / 20)
  for (const at of [0, 1, 2]) {
    const letters = new Set(some.map(word => word[at]))
    t.equal(letters.size, operations.length, `every operation in place ${at}`)
  }
  t.end()
})
