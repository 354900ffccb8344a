/**
 * Words: the command line as typed, made regular before yargs sees it.
 *
 *   -K:  -n5  -o-10  -Ha=b   ──>   -K :  -n 5  -o -10  -H a=b        (as kcat and most tools take them)
 *
 * Always true: only short options that take a value are split; what follows `--` is left alone.
 * Used by cli.ts.
 */
const takesValue = /^-([sopnfkKHzcru])(.*)$/s

/** Words with every value in a word of its own. */
export function splitShortValues(words: readonly string[]): string[] {
  const split: string[] = []
  let isValue = false
  for (const [i, word] of words.entries()) {
    if (word === '--') return [...split, ...words.slice(i)]
    const match: RegExpExecArray | null = isValue ? null : takesValue.exec(word)
    const value = match?.[2] ?? ''
    if (match === null || value === '') split.push(word)
    else split.push(`-${match[1]}`, value.startsWith('=') ? value.slice(1) : value)
    isValue = match !== null && value === ''
  }
  return split
}
