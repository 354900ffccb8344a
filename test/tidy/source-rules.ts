/**
 * SourceRules: the house rules that neither Biome nor dependency-cruiser knows, as functions of a
 * file's path and text: its head comment, its length and width, marks of unfinished work, code in
 * comments.
 *
 * Called by house.test.ts and planted.test.ts.
 */
import type { Finding } from './checkers.ts'

const maxLineWidth = 100
/** For what cannot be broken: a line of a drawing, or one that is a single literal. */
const maxUnbrokenWidth = 120
/** Counted here because Biome leaves out the opening comment. */
const maxFileLines = 300

interface Rule {
  readonly name: string
  /** What is wrong, or null. `lines` is the text split. */
  readonly check: (text: string, lines: readonly string[], path: string) => string | null
}

const at = (line: number, what: string): string => `line ${line + 1}: ${what}`

/** The first line for which `isBad` holds, said as `what`. */
function firstLine(
  lines: readonly string[],
  what: string,
  isBad: (line: string) => boolean,
): string | null {
  const index = lines.findIndex(isBad)
  return index < 0 ? null : at(index, what)
}

/** Joined here, so that this file does not hold what it looks for. */
const words = (...pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(pair => pair.join('')).join('|')

const unfinished = new RegExp(
  `\\b(${words(['TO', 'DO'], ['FIX', 'ME'], ['XX', 'X'], ['HA', 'CK'])})\\b`,
)
const silenced = new RegExp(
  words(['biome-', 'ignore'], ['@ts-', 'ignore'], ['@ts-', 'expect-error'], ['@ts-', 'nocheck']),
)
const leftOut = new RegExp(`\\.(${words(['on', 'ly'], ['sk', 'ip'], ['to', 'do'])})\\(`)

/**
 * Lines of `//` that read as code: statements, braces, calls. Prose may hold code inside a
 * sentence.
 */
const codeInComment = new RegExp(
  [
    '^import .+ from ',
    '^(export|const|let|return|await|throw) [\\w{[(].*[=(]',
    '^(if|for|while|switch) \\(.*',
    '^(\\}|\\{|\\}\\)|\\)|\\},?)$',
    '^[\\w.#]+(\\(.*\\)| \\+?= .+)$',
  ].join('|'),
)

/**
 * Many test files share one process and one root test: what one sets there would bind the others.
 */
const rootOfAll = /^(await )?t\.(before|after|beforeEach|afterEach|teardown|plan|end|bailout)\b/

const drawing = /^\s*(\*|\/\/) {2,}\S/
const singleLiteral = /^\s*([\w.]+: )?(['"`/]).*\2[a-z]*,?$/

function isTooWide(line: string): boolean {
  const width = [...line].length
  if (width <= maxLineWidth) return false
  return width > maxUnbrokenWidth || !(drawing.test(line) || singleLiteral.test(line))
}

/** Two lines at least; one will do for a test file, whose tests are sentences themselves. */
function headComment(text: string, _lines: readonly string[], path: string): string | null {
  const head = /^(#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[2]
  if (head === undefined) return 'does not open with a comment'
  const sentences = head.split('\n').filter(line => /\w/.test(line)).length
  const needed = path.endsWith('.test.ts') ? 1 : 2
  return sentences >= needed ? null : 'its opening comment has fewer than two lines'
}

export const sourceRules: readonly Rule[] = [
  { name: 'head-comment', check: headComment },
  {
    name: 'file-length',
    check: text => {
      const count = text.split('\n').length - 1
      return count > maxFileLines ? `has ${count} lines, over ${maxFileLines}` : null
    },
  },
  {
    name: 'line-width',
    check: (_text, lines) => firstLine(lines, `wider than ${maxLineWidth} columns`, isTooWide),
  },
  {
    name: 'unfinished',
    check: (_text, lines) => firstLine(lines, 'a mark of unfinished work', l => unfinished.test(l)),
  },
  {
    name: 'silenced',
    check: (_text, lines) => firstLine(lines, 'a check is silenced', l => silenced.test(l)),
  },
  {
    name: 'test-left-out',
    check: (_text, lines, path) =>
      path.endsWith('.test.ts')
        ? firstLine(lines, 'a test is left out', line => leftOut.test(line))
        : null,
  },
  {
    name: 'root-hook',
    check: (_text, lines, path) =>
      path.endsWith('.test.ts')
        ? firstLine(lines, 'binds the other files of its suite', line => rootOfAll.test(line))
        : null,
  },
  {
    name: 'code-in-comment',
    check: (_text, lines) =>
      firstLine(lines, 'code in a comment', line => {
        const comment = /^\s*\/\/ ?(.*)$/.exec(line)?.[1]
        return comment !== undefined && codeInComment.test(comment.trim())
      }),
  },
]

export function checkSource(path: string, text: string): Finding[] {
  const lines = text.split('\n')
  return sourceRules.flatMap(({ name, check }) => {
    const message = check(text, lines, path)
    return message === null ? [] : [{ rule: name, file: path, message }]
  })
}
