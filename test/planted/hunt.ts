/**
 * Hunt: each plant through the layers, cheapest first, two plants at a time.
 *
 * Always true: a plant is looked for until it is found, one that can harm records until two layers
 * have found it, or all layers with `all`; its workspace is gone afterwards.
 * Called by run.ts and by the test.
 */
import type { Finding, LayerName } from './finding.ts'
import { type LayerBudget, runLayer } from './layers.ts'
import type { Plant } from './plant.ts'
import { TestFiles } from './test-files.ts'
import { makeWorkspace } from './workspace.ts'

export interface HuntOptions {
  readonly layers: readonly LayerName[]
  /** All layers, whatever has found it already. */
  readonly all: boolean
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
}

/** A few seeds cost less than anything but unit tests; many cost more than the crash tests. */
function stepsOf({ layers, budget }: HuntOptions): Step[] {
  const steps = layers.map(layer => ({ layer, budget }))
  if (!layers.includes('sim')) return steps
  const few = { layer: 'sim' as const, budget: { ...budget, seeds: Math.min(30, budget.seeds) } }
  return [...steps.filter(s => s.layer === 'unit'), few, ...steps.filter(s => s.layer !== 'unit')]
}

export async function huntPlant(
  plant: Plant,
  options: HuntOptions,
  tests = new TestFiles(),
): Promise<Hunted> {
  const startMs = performance.now()
  const { folder, remove } = makeWorkspace(plant)
  const file = plant.edits[0]?.file ?? ''
  const findings: Finding[] = []
  try {
    for (const { layer, budget } of stepsOf(options)) {
      if (!options.all && findings.length >= (plant.isHarmful ? 2 : 1)) break
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
  await Promise.all(Array.from({ length: jobs }, worker))
  return done.sort((a, b) => plants.indexOf(a.plant) - plants.indexOf(b.plant))
}

/**
 * What finds a bug where there is none. Tests are compared with the tree without a plant one by
 * one; here it is the seeds.
 */
export async function control(budget: LayerBudget): Promise<Finding | null> {
  const { folder, remove } = makeWorkspace(null)
  try {
    const place = { folder, file: 'broker/storage/log.ts' }
    return await runLayer('sim', place, { budget, tests: new TestFiles() })
  } finally {
    remove()
  }
}
