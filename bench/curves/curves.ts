/**
 * Curves: all of them, in the order in which they are played.
 *
 * Used by run.ts and its tests.
 */
import { connectionsCurve } from './connections.ts'
import { consumersCurve } from './consumers.ts'
import type { CurvePlan } from './curve.ts'
import { partitionsCurve } from './partitions.ts'
import { producersCurve } from './producers.ts'
import { recordSizeCurve } from './record-size.ts'
import { retainedCurve } from './retained.ts'

export const curves: readonly CurvePlan[] = [
  partitionsCurve,
  connectionsCurve,
  producersCurve,
  recordSizeCurve,
  retainedCurve,
  consumersCurve,
]
