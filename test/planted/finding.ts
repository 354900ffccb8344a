/**
 * Finding: what noticed a plant, and how fast.
 *
 * Always true: a layer's time is all that it took in this hunt, the start of its processes
 * included.
 * Made by layers.ts, counted by hunt.ts, printed by table.ts.
 */
export const layerNames = ['unit', 'crash', 'corruption', 'fuzz', 'sim', 'real'] as const
/** Cheapest first. */
export type LayerName = (typeof layerNames)[number]

export interface Finding {
  readonly layer: LayerName
  /** The failed test as a sentence, or what a seed came to. */
  readonly by: string
  readonly seconds: number
  readonly seeds?: SeedsNeeded
}

export interface SeedsNeeded {
  readonly scenario: string
  /** The first seed that failed. */
  readonly seed: number
  /** Seeds tried up to a failure, from each of several first seeds; null = none failed. */
  readonly needed: readonly (number | null)[]
}

/** The middle one; a start that found nothing counts as the worst. */
export function medianNeeded({ needed }: SeedsNeeded): number | null {
  const sorted = [...needed].sort((a, b) => (a ?? Infinity) - (b ?? Infinity))
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null
}
