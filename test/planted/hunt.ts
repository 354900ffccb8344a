/**
 * Hunt: each plant through the layers, cheapest first, two plants at a time.
 *
 * Always true: a plant is looked for until it is found, one that can harm records until two of the
 * cheap layers have found it or there are no more of them. With `twice` the dear ones are asked for
 * the second too, with `all` every layer for every plant. Its workspace is gone afterwards.
 * Called by run.ts and by the test.
 */
import type { Finding, LayerName } from './finding.ts'
import { type LayerBudget, runLayer, seedScenarios } from './layers.ts'
import type { Plant } from './plant.ts'
import { huntSeeds } from './seed-hunt.ts'
import { TestFiles } from './test-files.ts'
import { makeWorkspace } from './workspace.ts'

/** How far a plant is followed that has been found once. */
export type HuntDepth = 'cheaply' | 'twice' | 'all'

export interface HuntOptions {
  readonly layers: readonly LayerName[]
  readonly depth: HuntDepth
  readonly budget: LayerBudget
}

export interface Hunted {
  readonly plant: Plant
  readonly findings: readonly Finding[]
  readonly seconds: number
}

const jobs = 2

interface Step {
  readonly layer: LayerName
  readonly budget: LayerBudget
  /** Seconds, where the others take minutes. */
  readonly isCheap: boolean
}

/** A few seeds cost less than anything but unit tests; many cost more than the crash tests. */
function stepsOf({ layers, budget }: HuntOptions): Step[] {
  const isCheap = (layer: LayerName): boolean => layer === 'unit' || layer === 'crash'
  const steps = layers.map(layer => ({ layer, budget, isCheap: isCheap(layer) }))
  if (!layers.includes('sim')) return steps
  const fewSeeds = { ...budget, seeds: Math.min(30, budget.seeds) }
  const few = { layer: 'sim' as const, budget: fewSeeds, isCheap: true }
  return [...steps.filter(s => s.layer === 'unit'), few, ...steps.filter(s => s.layer !== 'unit')]
}

function isEnough(plant: Plant, found: number, depth: HuntDepth, next: Step): boolean {
  if (depth === 'all' || found === 0) return false
  const wanted = plant.isHarmful && (depth === 'twice' || next.isCheap) ? 2 : 1
  return found >= wanted
}

export async function huntPlant(
  plant: Plant,
  options: HuntOptions,
  tests: TestFiles,
): Promise<Hunted> {
  const startMs = performance.now()
  const { folder, remove } = makeWorkspace(plant)
  const file = plant.edits[0]?.file ?? ''
  const findings: Finding[] = []
  try {
    for (const step of stepsOf(options)) {
      const { layer, budget } = step
      if (isEnough(plant, findings.length, options.depth, step)) break
      if (findings.some(finding => finding.layer === layer)) continue
      const finding = await runLayer(layer, { folder, file }, { budget, tests })
      if (finding !== null) findings.push(finding)
    }
  } finally {
    remove()
  }
  return { plant, findings, seconds: (performance.now() - startMs) / 1000 }
}

/** In about the order given. */
export async function huntAll(
  plants: readonly Plant[],
  options: HuntOptions,
  onHunted: (hunted: Hunted) => void,
): Promise<Hunted[]> {
  const waiting = [...plants]
  const done: Hunted[] = []
  const tests = new TestFiles()
  const worker = async (): Promise<void> => {
    for (let plant = waiting.shift(); plant !== undefined; plant = waiting.shift()) {
      const hunted = await huntPlant(plant, options, tests)
      done.push(hunted)
      onHunted(hunted)
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, worker))
  } finally {
    tests.end()
  }
  return done.sort((a, b) => plants.indexOf(a.plant) - plants.indexOf(b.plant))
}

/**
 * Seeds that find a bug where there is none, and how many were run. (Tests are compared with the
 * workspace without a plant one by one.)
 * @throws Error naming a seed that fails
 */
export async function control({ seeds, scenarioMs: budgetMs }: LayerBudget): Promise<string[]> {
  const { folder, remove } = makeWorkspace(null)
  try {
    const lines: string[] = []
    for (const scenario of seedScenarios('broker/storage/log.ts')) {
      const hunted = await huntSeeds(folder, { scenario, firstSeed: 1, seeds, budgetMs })
      const { found, passed } = hunted
      if (found !== null) throw new Error(`without a plant the simulator fails: ${found.message}`)
      if (passed === 0) throw new Error(`no seed of ${scenario} came to its end in its time`)
      const why = passed < seeds ? `; for the others of ${seeds} there was no time` : ''
      lines.push(`without a plant ${passed} seeds of ${scenario} pass${why}`)
    }
    return lines
  } finally {
    remove()
  }
}
