/**
 * JSON text: documents as text with known tokens, and damage to them that mostly stays JSON:
 * numbers beyond every range, keys twice, keys of Object.prototype, deep nesting, other types.
 *
 * Always true: a document is immutable; damage gives a new text.
 * Used by the targets whose outer form is JSON.
 */
import type { FuzzRandom } from './random.ts'

export interface JsonDocument {
  readonly text: string
  /** Start and end of each string, number and word, in turn; keys are strings too. */
  readonly tokens: readonly number[]
}

const tokenPattern = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g

export function documentOf(value: unknown): JsonDocument {
  const text = JSON.stringify(value)
  const tokens: number[] = []
  for (const { index, 0: token } of text.matchAll(tokenPattern)) {
    tokens.push(index, index + token.length)
  }
  return { text, tokens }
}

const numbers = [
  ...['0', '-0', '1', '-1', '1.5', '1e2', '1E400', '-1e400', '1e-400', '4294967296', '2147483648'],
  ...['9007199254740991', '9007199254740992', '-9007199254740993', '1e21', '0.1e1', '2', '100'],
]
const texts = [
  ...['""', '"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"toJSON"'],
  ...['"\\u0000"', '"\\ud800"', '"\\"', '"\u2028"', '"../../etc"', '"."', '".."', '"a/b"'],
  ...['"null"', '"-1"', '"all"', '"none"', '"latest"', '"commit"', '"retention.ms"', '"\\n"'],
]
const words = ['true', 'false', 'null', 'NaN', '01', '{}', '[]', '[[]]', '[{}]', '{"":0}', '[1]']

const longText = (random: FuzzRandom): string =>
  JSON.stringify(
    random
      .pick(['a', 'é', '\u{1f600}', '\0', '"'])
      .repeat(1 + random.size(random.oneIn(16) ? 10_000 : 300)),
  )

function nested(random: FuzzRandom): string {
  const most = random.oneIn(50) ? 30_000 : 300
  const depth = random.oneIn(4) ? random.between(10, most) : random.between(1, 20)
  if (random.oneIn(2)) return `${'['.repeat(depth)}${']'.repeat(depth)}`
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}

export function hostileToken(random: FuzzRandom, names: readonly string[]): string {
  switch (random.below(16)) {
    case 0:
      return nested(random)
    case 1:
      return longText(random)
    case 2:
    case 3:
      return random.pick(words)
    case 4:
    case 5:
    case 6:
      return JSON.stringify(random.pick(names))
    case 7:
    case 8:
      return random.pick(texts)
    case 9:
    case 10:
      return String(random.edge())
    case 11:
      return String(random.safeInteger())
    default:
      return random.pick(numbers)
  }
}

/** What a key may be replaced by, or said twice as. */
const extraMember = (random: FuzzRandom, names: readonly string[]): string => {
  const key = random.oneIn(3) ? random.pick(texts) : JSON.stringify(random.pick(names))
  return `${key}:${hostileToken(random, names)}`
}

function tokenAt(document: JsonDocument, random: FuzzRandom): [start: number, end: number] {
  const at = 2 * random.below(document.tokens.length / 2)
  return [document.tokens[at] ?? 0, document.tokens[at + 1] ?? 0]
}

/** One damage to `text`; token positions are those of the undamaged document. */
function damagedOnce(document: JsonDocument, random: FuzzRandom, names: readonly string[]): string {
  const { text } = document
  const [start, end] = tokenAt(document, random)
  const [from, to] = tokenAt(document, random)
  switch (random.below(16)) {
    case 0:
    case 1:
      return `${text.slice(0, -1)}${text.length > 2 ? ',' : ''}${extraMember(random, names)}}`
    case 2:
    case 3:
      return `{${extraMember(random, names)}${text.length > 2 ? ',' : ''}${text.slice(1)}`
    case 4:
      return text.slice(0, start) + text.slice(end)
    case 5:
    case 6:
      // one token in the place of another
      return text.slice(0, start) + text.slice(from, to) + text.slice(end)
    default: {
      const isKey = text[end] === ':'
      const put = isKey ? JSON.stringify(random.pick(names)) : hostileToken(random, names)
      return text.slice(0, start) + put + text.slice(end)
    }
  }
}

/** The document with no, one or two damages. */
export function damaged(
  document: JsonDocument,
  random: FuzzRandom,
  names: readonly string[],
): string {
  if (random.oneIn(8)) return document.text
  const once = damagedOnce(document, random, names)
  if (!random.oneIn(4)) return once
  return `${once.slice(0, -1)},${extraMember(random, names)}}`
}
