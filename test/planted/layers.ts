/**
 * Layers: the kinds of tests that can find a plant, cheapest first.
 *
 *   unit        tests of the rooms, the room of the changed file first
 *   crash       workloads cut at each call to the disk, with each way to lose what was not synced
 *   corruption  bytes of a data directory flipped, zeroed, cut
 *   fuzz        hostile input
 *   sim         the simulator, seed after seed
 *   real        real processes on a real disk: killed, locked out, filled up
 *
 * Always true: a test file belongs to one layer; what is not there yet makes a layer empty, and an
 * empty layer finds nothing.
 * Called by hunt.ts.
 */
import { basename } from 'node:path'
import { testFiles } from '../support/suites.ts'
import type { Finding, LayerName, SeedsNeeded } from './finding.ts'
import { huntSeeds, type SeedFind, type SeedRange } from './seed-hunt.ts'
import type { TestFiles } from './test-files.ts'

export interface LayerBudget {
  /** Seeds per scenario, at most. */
  readonly seeds: number
  /** Processor time of one run over them. */
  readonly scenarioMs: number
  /** Further first seeds, for the median. */
  readonly otherFirstSeeds: readonly number[]
}

export const defaultBudget: LayerBudget = {
  seeds: 300,
  scenarioMs: 45_000,
  otherFirstSeeds: [10_001, 20_001],
}

const layersByPath: readonly (readonly [RegExp, LayerName])[] = [
  [/^test\/broker\/storage\/(crash|disk-faults)\.test\.ts$/, 'crash'],
  [/^test\/broker\/replication\/topics-power-loss\.test\.ts$/, 'crash'],
  [/^test\/crash\/crash\.test\.ts$/, 'crash'],
  [/^test\/crash\/sweep\.test\.ts$/, 'corruption'],
  [/^test\/fuzz\/fuzz\.test\.ts$/, 'fuzz'],
  [/^test\/broker\/server\/(wire-fuzz|bad-input|bad-batches)\.test\.ts$/, 'fuzz'],
  [/^test\/protocol\/transport\/hostile-bytes\.test\.ts$/, 'fuzz'],
  [/^test\/(broker|client|protocol)\//, 'unit'],
  [/^test\/integration\/(disk-\w+|read-only|sdk-\w+)\.test\.ts$/, 'real'],
  [/^test\/integration\/(faults|memory)\/(?!comparison)/, 'real'],
]

const layerOf = (path: string): LayerName | null =>
  layersByPath.find(([pattern]) => pattern.test(path))?.[1] ?? null

/** Rooms with tests, the more special one first, and whose tests reach the code of each. */
const reachedBy: Readonly<Record<string, readonly string[]>> = {
  'broker/storage': ['broker/storage', 'broker', ''],
  broker: ['broker', 'client', ''],
  client: ['client', ''],
  protocol: ['protocol', 'broker', 'client', ''],
}

const roomOf = (path: string): string =>
  Object.keys(reachedBy).find(room => path.startsWith(`${room}/`)) ?? ''

/**
 * The test files of a layer in groups, in the order in which a plant in `file` is looked for: its
 * own tests and those of the rules, then its room, then other rooms that reach it.
 */
export function filesOf(layer: LayerName, file: string): string[][] {
  // What is on disk is not the SDK's affair.
  if (roomOf(file) === 'client' && (layer === 'crash' || layer === 'corruption')) return []
  const files = testFiles().filter(path => layerOf(path) === layer)
  const testRoomOf = (path: string): string => roomOf(path.replace(/^test\//, ''))
  const nameOf = (path: string): string => basename(path).replace(/[.-].*$/, '')
  const room = roomOf(file)
  const isNear = (path: string): boolean =>
    testRoomOf(path) === room && [nameOf(file), 'rules'].includes(nameOf(path))
  const near = files.filter(isNear)
  const rest = (reachedBy[room] ?? []).map(one =>
    files.filter(path => testRoomOf(path) === one && !near.includes(path)),
  )
  return [near, ...rest].filter(group => group.length > 0)
}

/** Where the plant is: the workspace, and the first file that it changes. */
export interface Place {
  readonly folder: string
  readonly file: string
}

export interface Means {
  readonly budget: LayerBudget
  readonly tests: TestFiles
}

export async function runLayer(
  layer: LayerName,
  { folder, file }: Place,
  { budget, tests }: Means,
): Promise<Finding | null> {
  const startMs = performance.now()
  const seconds = (): number => Math.round((performance.now() - startMs) / 100) / 10
  if (layer === 'sim') {
    const found = await simulate(folder, file, budget)
    return found === null ? null : { layer, by: found.message, seconds: seconds(), ...found }
  }
  for (const files of filesOf(layer, file)) {
    const by = await tests.firstFailure(folder, files)
    if (by !== null) return { layer, by, seconds: seconds() }
  }
  return null
}

/** The scenarios that can find a plant in `file`. */
export function seedScenarios(file: string): readonly string[] {
  return file.startsWith('broker/storage/') ? ['storage-log', 'one-broker'] : ['one-broker']
}

async function simulate(
  folder: string,
  file: string,
  budget: LayerBudget,
): Promise<{ message: string; seeds: SeedsNeeded } | null> {
  for (const scenario of seedScenarios(file)) {
    const { seeds, scenarioMs: budgetMs } = budget
    const range = { scenario, firstSeed: 1, seeds, budgetMs }
    const { found: first } = await huntSeeds(folder, range)
    if (first === null) continue
    const needed = [first.needed, ...(await moreStarts(folder, range, first, budget))]
    return { message: first.message, seeds: { scenario, seed: first.seed, needed } }
  }
  return null
}

const cheapSeeds = 150

/** How many seeds it takes from elsewhere on, where the first find was cheap. */
async function moreStarts(
  folder: string,
  range: SeedRange,
  first: SeedFind,
  { otherFirstSeeds }: LayerBudget,
): Promise<(number | null)[]> {
  if (first.needed > cheapSeeds) return []
  const needed: (number | null)[] = []
  for (const firstSeed of otherFirstSeeds) {
    const { found } = await huntSeeds(folder, { ...range, firstSeed, seeds: cheapSeeds })
    needed.push(found?.needed ?? null)
  }
  return needed
}
