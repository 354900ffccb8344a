/**
 * The crash lane, bounded: every workload of up to two operations (of two with flush=os every fifth
 * one), every crash in it. The rest and the longer ones are `npm run crash`.
 */
import t from 'tap'
import { Explorer } from './explore.ts'
import { countOfWords, phaseName, phasesOf, wordsOf } from './workloads.ts'

const explorer = new Explorer()

for (const phase of phasesOf(2).filter(({ pace }) => pace === 'settled')) {
  t.test(`a crash at any moment of ${phaseName(phase)}, breaks no promise`, async t => {
    const before = { ...explorer.counts }
    const every = phase.length === 2 && phase.flush === 'os' ? 5 : 1
    const words = [...wordsOf(phase.length)].filter((_, at) => at % every === 0)
    for (const word of words) await explorer.explore({ ...phase, word })
    for (const { place, reason } of explorer.failures.splice(0)) {
      t.fail(`${place}: ${reason}`, { repeatIt: `npm run crash -- --replay ${place}` })
    }
    const { workloads, images, nestedImages } = explorer.counts
    t.equal(workloads - before.workloads, Math.ceil(countOfWords(phase.length) / every))
    t.ok(images - before.images > 80, `${images - before.images} images`)
    t.comment(`${images} images, ${nestedImages} of crashed recoveries, so far`)
    t.comment(`${explorer.examiner.images} of them distinct`)
  })
}
