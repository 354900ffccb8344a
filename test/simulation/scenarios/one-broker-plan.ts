/**
 * One broker's plan: what a seed draws before the story begins, and the faults that it may meet.
 *
 * Always true: a plan asks for nothing that its settings do not promise to survive.
 * Called by one-broker.ts.
 */
import type { SimWorld } from '../sim-world.ts'

/** What one seed draws before it begins. */
export interface Plan {
  readonly partitions: number
  readonly flush: 'commit' | 'os'
  readonly idempotent: boolean
  /** At most. */
  readonly records: number
  /** Mean pause of the producer, so that it is at work as long as faults are. */
  readonly pauseMs: number
  readonly rounds: number
  readonly segmentBytes: number
  readonly tailCacheBytes: number
  readonly faults: readonly Fault[]
}

export const allFaults = [
  'kill',
  'powerLoss',
  'powerLossBesideDiskCall',
  'killBesideDiskCall',
  'cleanStop',
  'cut',
  'oneWay',
  'reset',
  'slowDisk',
  'fullDisk',
  'failedSync',
  'failedWrite',
  'failedRead',
  'wallJump',
] as const
export type Fault = (typeof allFaults)[number]

export function drawPlan({ random }: SimWorld): Plan {
  const flush = random.chance(0.8) ? 'commit' : 'os'
  // With flush=os a power cut may lose what was acked: that is what the setting says.
  const allowed = allFaults.filter(fault => flush === 'commit' || !fault.startsWith('powerLoss'))
  const faults = allowed.filter(() => random.chance(0.6))
  return {
    partitions: random.pick([1, 1, 2, 3]),
    flush,
    idempotent: random.chance(0.8),
    records: random.pick([100, 400, 1200]),
    pauseMs: random.pick([20, 60, 150]),
    rounds: random.pick([3, 6, 12]),
    segmentBytes: random.pick([1024, 4096, 65_536]),
    tailCacheBytes: random.pick([0, 2000, 1_000_000]),
    faults: faults.length === 0 ? ['kill'] : faults,
  }
}
