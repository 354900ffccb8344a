/**
 * Words: the command line as typed, made regular before yargs sees it.
 *
 *   -K:  -n5  -o-10  -Ha=b   ──>   -K :  -n 5  -o -10  -H a=b        (as kcat and most tools take them)
 *
 *   -  (a file)           ──>   /dev/stdin
 *
 * Always true: only short options that take a value are split; what follows `--` is left alone.
 * Used by cli.ts.
 */
const takesValue = /^-([sopnfkKHzcru])(.*)$/s

interface ShortOption {
  readonly letter?: string
  readonly value: string
}

/** The letter of a short option that takes a value, and what is stuck to it. */
function shortOption(word: string): ShortOption {
  const [, letter, value = ''] = takesValue.exec(word) ?? []
  return letter === undefined ? { value } : { letter, value }
}

/** Words with every value in a word of its own. */
export function splitShortValues(words: readonly string[]): string[] {
  const split: string[] = []
  let isValue = false
  for (const [i, word] of words.entries()) {
    if (word === '--') return [...split, ...words.slice(i)]
    if (word === '-' && !isValue) {
      // yargs loses a lone dash among files
      split.push('/dev/stdin')
      continue
    }
    const option: ShortOption = isValue ? { value: '' } : shortOption(word)
    const { letter, value } = option
    if (letter === undefined || value === '') split.push(word)
    else split.push(`-${letter}`, value.startsWith('=') ? value.slice(1) : value)
    isValue = letter !== undefined && value === ''
  }
  return split
}
