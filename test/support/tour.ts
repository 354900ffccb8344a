/**
 * Tour: the table under `## The tour` in README.md, and whether its stops are still there.
 * Called by tour.test.ts.
 */
export interface Stop {
  readonly file: string
  /** A function or method, without `#` and brackets. */
  readonly name: string
}

/** Rows of the form "| 1 | `file` | `name` | text |", in order. */
export function tourStops(readme: string): Stop[] {
  const section = /^## The tour\n([\s\S]*?)(?=^## )/m.exec(readme)?.[1] ?? ''
  const rows = section.matchAll(/^\| \d+ \| `([^`]+)` \| `#?([\w$]+)` \| .+ \|$/gm)
  return [...rows].map(([, file = '', name = '']) => ({ file, name }))
}

/** Whether `text` declares a function, method or constant of that name at the start of a line. */
export function declares(text: string, name: string): boolean {
  const words = '(export |async |static |readonly |private |function |const |get )*'
  return new RegExp(`^ *${words}\\*?#?${name}(<[^(]*>)?\\s*[(=:]`, 'm').test(text)
}
