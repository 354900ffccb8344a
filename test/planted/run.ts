/**
 * Run: the command line of the planted bugs, `npm run plants -- [--only name,…] [--layers unit,…]
 * [--twice | --all-layers] [--record]`.
 *
 * Always true: the exit code is 0 when every chosen plant was found (with --twice, one that can
 * harm records by two layers), 1 when one was not, 2 when the command is wrong, a plant does not
 * apply, or a seed fails without a plant.
 * With --record each plant's row is written as soon as it has been hunted (record.ts).
 * Called by people.
 */
import { parseArgs } from 'node:util'
import { recordFlag } from '../support/lane-result.ts'
import { type LayerName, layerNames } from './finding.ts'
import { control, type HuntDepth, type HuntOptions, huntAll } from './hunt.ts'
import { defaultBudget } from './layers.ts'
import type { Plant } from './plant.ts'
import { allPlants } from './plants/all-plants.ts'
import { recordHunted } from './record.ts'
import { huntedLines, summaryLines, totalsOf } from './table.ts'
import { typeErrors } from './type-check.ts'

interface Wanted {
  readonly plants: readonly Plant[]
  readonly options: HuntOptions
  readonly isWhole: boolean
  readonly record: boolean
}

function wanted(): Wanted {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      layers: { type: 'string' },
      'all-layers': { type: 'boolean' },
      twice: { type: 'boolean' },
      [recordFlag.slice(2)]: { type: 'boolean' },
    },
  })
  const only = values.only?.split(',')
  const plants = allPlants.filter(({ name, rule }) => {
    return only === undefined || only.includes(name) || only.includes(rule)
  })
  const unknown = only?.filter(word => !allPlants.some(p => p.name === word || p.rule === word))
  if (unknown !== undefined && unknown.length > 0) {
    throw new Error(`no plant or rule is named ${unknown.join(', ')}`)
  }
  const layers = values.layers?.split(',') ?? layerNames
  const strange = layers.filter(layer => !(layerNames as readonly string[]).includes(layer))
  if (strange.length > 0) {
    throw new Error(`no layer is named ${strange.join(', ')}; there are: ${layerNames.join(', ')}`)
  }
  const once = values.twice === true ? 'twice' : 'cheaply'
  const depth: HuntDepth = values['all-layers'] === true ? 'all' : once
  const options = { layers: layers as LayerName[], depth, budget: defaultBudget }
  return { plants, options, isWhole: only === undefined, record: values['record'] === true }
}

async function requireSoundSeeds({ budget }: HuntOptions): Promise<void> {
  for (const line of await control(budget)) console.log(line)
}

async function main(): Promise<number> {
  const { plants, options, isWhole, record } = wanted()
  const startMs = performance.now()
  const errors = typeErrors(plants)
  if (errors.length > 0) throw new Error(errors.join('\n'))
  console.log(`${plants.length} plants apply and type-check`)
  if (isWhole && options.layers.includes('sim')) await requireSoundSeeds(options)
  const hunted = await huntAll(plants, options, one => {
    console.log(huntedLines(one))
    if (record) recordHunted(one, allPlants)
  })
  const totals = totalsOf(hunted)
  console.log(summaryLines(totals, (performance.now() - startMs) / 1000))
  const isWeak = options.depth !== 'cheaply' && totals.foundOnce.length > 0
  return totals.found === totals.plants && !isWeak ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
