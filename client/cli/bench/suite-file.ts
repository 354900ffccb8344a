/**
 * Suite file: which benches belong together, as JSON.
 *
 * Always true: a file with an unknown member, without a bench, or with a name that comes twice is
 * refused, with the place in it that is wrong.
 * Used by bench run and by bench/run.ts.
 */
import { usageError } from '../failure.ts'

export interface SuiteBench {
  readonly name: string
  /** As after `sluice bench`. */
  readonly words: readonly string[]
}

export interface Suite {
  readonly suite: string
  readonly benches: readonly SuiteBench[]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function members(value: unknown, names: readonly string[], where: string): Record<string, unknown> {
  if (!isObject(value)) throw usageError(`${where} is not an object`)
  const unknown = Object.keys(value).find(name => !names.includes(name))
  if (unknown !== undefined) {
    throw usageError(`${where} has an unknown member "${unknown}"`, `known: ${names.join(', ')}`)
  }
  return value
}

function benchOf(value: unknown, index: number): SuiteBench {
  const where = `bench ${index + 1} of the suite`
  const { name, words } = members(value, ['name', 'words'], where)
  if (!isText(name)) throw usageError(`${where} has no name`)
  if (!Array.isArray(words) || words.length === 0 || !words.every(isText)) {
    throw usageError(`words of "${name}" is not a list of texts`, 'as ["produce", "-n", "1M"]')
  }
  return { name, words }
}

/** @throws SluiceError INVALID_ARGUMENT */
export function parseSuite(text: string): Suite {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`the suite is not JSON: ${reason}`, 'a suite file is JSON, not YAML')
  }
  const { suite, benches } = members(json, ['suite', 'benches'], 'the suite')
  if (!isText(suite)) throw usageError('the suite has no name', 'as "suite": "nightly"')
  if (!Array.isArray(benches) || benches.length === 0) throw usageError('the suite has no benches')
  const all = benches.map(benchOf)
  const twice = all.find(({ name }, i) => all.findIndex(other => other.name === name) < i)
  if (twice !== undefined) throw usageError(`two benches are named "${twice.name}"`)
  return { suite, benches: all }
}
