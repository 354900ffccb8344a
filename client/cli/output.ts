/**
 * Output: the answer of a command on stdout, in the form that was asked for.
 *
 *   table, wide    for people          json    one document
 *   jsonl          one item per line   name    one name per line
 *
 * Always true: the JSON shape of an item does not depend on the form or on the terminal; nothing
 * but the answer goes to stdout.
 * Made by cli.ts for each run.
 */
import { type Column, renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export const outputForms = ['table', 'wide', 'json', 'jsonl', 'name'] as const
export type OutputForm = (typeof outputForms)[number]

export interface Listing<Item> {
  readonly columns: readonly Column<Item>[]
  /** What `--output name` prints. */
  readonly name: (item: Item) => string
  /** Said on stderr where a table would be empty. */
  readonly empty?: string
}

export interface OutputOptions {
  readonly form: OutputForm
  readonly quiet: boolean
  readonly colour: boolean
}

export class Output {
  readonly form: OutputForm
  readonly quiet: boolean
  readonly colour: boolean
  readonly #terminal: Terminal

  constructor(terminal: Terminal, options: OutputOptions) {
    this.#terminal = terminal
    this.form = options.form
    this.quiet = options.quiet
    this.colour = options.colour
  }

  get isJson(): boolean {
    return this.form === 'json' || this.form === 'jsonl'
  }

  /** A list of items. */
  list<Item>(items: readonly Item[], listing: Listing<Item>): void {
    if (this.form === 'json') this.#line(JSON.stringify(items, null, 2))
    else if (this.form === 'jsonl') for (const item of items) this.#line(JSON.stringify(item))
    else if (this.form === 'name') for (const item of items) this.#line(listing.name(item))
    else if (items.length === 0 && listing.empty !== undefined) this.say(listing.empty)
    else this.#terminal.write(renderTable(items, listing.columns, this.form === 'wide'))
  }

  /** One item; `text` is its form for people. */
  item(item: object, text: string, name: string): void {
    if (this.form === 'json') this.#line(JSON.stringify(item, null, 2))
    else if (this.form === 'jsonl') this.#line(JSON.stringify(item))
    else if (this.form === 'name') this.#line(name)
    else this.#terminal.write(text.endsWith('\n') ? text : `${text}\n`)
  }

  /** A remark for the person at the keyboard, on stderr; not under -q. */
  say(text: string): void {
    if (!this.quiet) this.#terminal.writeError(`${text}\n`)
  }

  #line(text: string): void {
    this.#terminal.write(`${text}\n`)
  }
}

/** Colour only on a terminal, unless the usual variables say otherwise. */
export function wantsColour(terminal: Terminal, flag: boolean | undefined): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = terminal.env
  if (flag === false || (no !== undefined && no !== '')) return false
  if (force !== undefined && force !== '0') return true
  return terminal.errorIsTty && term !== 'dumb'
}

/** Wraps `word` in red where colour is on. */
export const red = (word: string, colour: boolean): string =>
  colour ? `\u001b[31m${word}\u001b[39m` : word
