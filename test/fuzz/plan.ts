/**
 * Plan: what a message may hold, read from the very type texts that the docs print, so that valid
 * messages of every api can be made, and what the product accepts can be judged by other code.
 *
 * Always true: a field whose type text is not understood is an error when the plan is made, never a
 * field that is not tested.
 * Used by the targets of headers, requests and answers.
 */
import type { Field, Shape } from '../../protocol/messages/define.ts'
import type { FuzzRandom } from './random.ts'

export type Plan =
  | { readonly is: 'integer'; readonly min: number; readonly max: number }
  | { readonly is: 'text'; readonly max: number }
  | { readonly is: 'number' }
  | { readonly is: 'flag' }
  | { readonly is: 'choice'; readonly choices: readonly string[] }
  | { readonly is: 'list'; readonly max: number; readonly of: Plan }
  | { readonly is: 'group'; readonly fields: readonly PlannedField[] }
  | { readonly is: 'texts'; readonly max: number }

interface PlannedField {
  readonly name: string
  readonly optional: boolean
  readonly plan: Plan
}

export function planOf(shape: Shape): Plan {
  const fields = Object.entries(shape).map(([name, field]) => ({
    name,
    optional: field.optional,
    plan: planOfType(field.type, field),
  }))
  return { is: 'group', fields }
}

function planOfType(type: string, field: Field<unknown>): Plan {
  const integer = /^an integer from (-?\d+) to (-?\d+)$/.exec(type)
  if (integer !== null) return { is: 'integer', min: Number(integer[1]), max: Number(integer[2]) }
  const text = /^text of at most (\d+) characters$/.exec(type)
  if (text !== null) return { is: 'text', max: Number(text[1]) }
  const list = /^a list of at most (\d+): (.*)$/.exec(type)
  if (list !== null) {
    return { is: 'list', max: Number(list[1]), of: planOfType(list[2] ?? '', field) }
  }
  const texts = /^an object of at most (\d+) text values$/.exec(type)
  if (texts !== null) return { is: 'texts', max: Number(texts[1]) }
  if (type.startsWith('one of ')) return { is: 'choice', choices: type.slice(7).split(', ') }
  if (type === 'true or false') return { is: 'flag' }
  if (type === 'a finite number') return { is: 'number' }
  if (type === 'an object' && field.fields !== undefined) return planOf(field.fields)
  throw new Error(`the fuzzer does not understand the field type "${type}"`)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether the message may be accepted, in this file's own words. */
export function fits(plan: Plan, value: unknown): boolean {
  switch (plan.is) {
    case 'integer':
      return Number.isSafeInteger(value) && Number(value) >= plan.min && Number(value) <= plan.max
    case 'text':
      return typeof value === 'string' && value.length <= plan.max
    case 'number':
      return Number.isFinite(value)
    case 'flag':
      return value === true || value === false
    case 'choice':
      return plan.choices.some(choice => choice === value)
    case 'list':
      return (
        Array.isArray(value) && value.length <= plan.max && value.every(one => fits(plan.of, one))
      )
    case 'texts': {
      if (!isObject(value)) return false
      const texts = Object.keys(value).map(name => value[name])
      return texts.length <= plan.max && texts.every(one => one === null || typeof one === 'string')
    }
    case 'group':
      return isObject(value) && plan.fields.every(field => fieldFits(field, value))
  }
}

function fieldFits({ name, optional, plan }: PlannedField, object: object): boolean {
  const value = Object.getOwnPropertyDescriptor(object, name)?.value
  return value === undefined ? optional : fits(plan, value)
}

/** Names and values that mean something to the broker under test. */
export interface Vocabulary {
  readonly texts: readonly string[]
}

/** A value that the plan allows. */
export function validValue(plan: Plan, random: FuzzRandom, words: Vocabulary): unknown {
  switch (plan.is) {
    case 'integer':
      return validInteger(plan, random)
    case 'text': {
      const text = random.pick(words.texts)
      return text.length <= plan.max ? text : text.slice(0, plan.max)
    }
    case 'number':
      return random.edge() / 7
    case 'flag':
      return random.oneIn(2)
    case 'choice':
      return random.pick(plan.choices)
    case 'list':
      return Array.from({ length: random.size(5) }, () => validValue(plan.of, random, words))
    case 'texts': {
      const value = () => (random.oneIn(8) ? null : random.pick(words.texts))
      return Object.fromEntries(
        Array.from({ length: random.size(4) }, () => [random.pick(words.texts), value()]),
      )
    }
    case 'group':
      return validGroup(plan.fields, random, words)
  }
}

function validInteger(plan: { min: number; max: number }, random: FuzzRandom): number {
  if (random.oneIn(8)) return random.pick([plan.min, plan.max])
  if (random.oneIn(8)) return Math.min(plan.max, Math.max(plan.min, random.safeInteger()))
  return Math.min(plan.max, plan.min + random.size(300))
}

function validGroup(
  fields: readonly PlannedField[],
  random: FuzzRandom,
  words: Vocabulary,
): Record<string, unknown> {
  const group: Record<string, unknown> = {}
  for (const { name, optional, plan } of fields) {
    if (optional && random.oneIn(2)) continue
    group[name] = validValue(plan, random, words)
  }
  return group
}

/** Every field name of the plan, at any depth. */
export function namesIn(plan: Plan): string[] {
  if (plan.is === 'list') return namesIn(plan.of)
  if (plan.is !== 'group') return []
  return plan.fields.flatMap(field => [field.name, ...namesIn(field.plan)])
}
