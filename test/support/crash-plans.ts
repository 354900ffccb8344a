/**
 * Crash plans: which power losses to try at one moment: all of them where few things are pending,
 * else the extremes, a prefix of each length and some drawn ones.
 *
 * Always true: the first plan loses everything and the second keeps everything; the same moment
 * gives the same plans.
 * Called by the crash tests of broker/storage.
 */
import type { Platter } from '../simulation/platter.ts'
import {
  drawnPlan,
  type FileLoss,
  keepEverything,
  loseEverything,
  type PendingFile,
  type PowerLossPlan,
} from '../simulation/power-loss.ts'
import { SimRandom } from '../simulation/sim-random.ts'

/** Up to this many pending changes and pieces, every subset is tried. */
const exhaustiveBits = 5
const drawnPlans = 10

export function plansFor(platter: Platter, seed: number): PowerLossPlan[] {
  const { changes, files } = platter.pending()
  const pieces = files.reduce((sum, file) => sum + file.pieces.length, 0)
  const bits = changes.length + pieces
  if (bits === 0) return [loseEverything]
  const plans = [loseEverything, keepEverything]
  if (bits <= exhaustiveBits) {
    for (let mask = 1; mask < 2 ** bits - 1; mask++) plans.push(maskPlan(mask))
  } else {
    const random = new SimRandom(seed)
    for (let i = 0; i < drawnPlans; i++) plans.push(drawnPlan(random.stream(String(i))))
  }
  for (const file of files.slice(0, 3)) plans.push(tornPlan(file, 1), tornPlan(file, 3))
  if (pieces > 0) plans.push(grownPlan)
  return plans
}

function maskPlan(mask: number): PowerLossPlan {
  let left = mask
  const next = (): boolean => {
    const bit = left % 2 === 1
    left = Math.floor(left / 2)
    return bit
  }
  return {
    keepEntries: changes => changes.map(next),
    loseFile: file => ({ keep: file.pieces.map(next), grown: false }),
  }
}

/** Everything stays but the last piece of one file, which is torn after some sectors. */
function tornPlan(torn: PendingFile, sectors: number): PowerLossPlan {
  const lose = (file: PendingFile): FileLoss => {
    const keep = file.pieces.map(() => true)
    const piece = keep.length - 1
    const isData = file.pieces[piece]?.kind === 'data'
    if (file.path !== torn.path || !isData) return { keep, grown: false }
    return { keep, grown: false, torn: { piece, sectors } }
  }
  return { keepEntries: keepEverything.keepEntries, loseFile: lose }
}

/** The names and lengths are there, the bytes are not. */
const grownPlan: PowerLossPlan = {
  keepEntries: keepEverything.keepEntries,
  loseFile: file => ({ keep: file.pieces.map(() => false), grown: true }),
}
