/**
 * Limit row: one limit that somebody else can run into: its name and default, the file that holds
 * it, what who goes beyond it is told, and the test that proves it.
 *
 * Always true: limits.test.ts fails where a limit of the code has no row, a row's file does not
 * know the limit, or its test does not exist.
 * Used by limit-rows-….ts; rendered into the README by limits-table.ts.
 */
import { brokerOptions } from '../../broker/config/broker-config.ts'

export interface LimitRow {
  /** Of an option, or of a constant as the code calls it. */
  readonly limit: string
  readonly value: string
  /** The file that holds it, which knows it by `known`. */
  readonly file: string
  readonly known: string
  readonly beyond: string
  readonly test: string
  /** A sentence that stands in the test file. */
  readonly proof: string
}

type Facts = Pick<LimitRow, 'file' | 'beyond' | 'test' | 'proof'>

export const bytes = (count: number): string =>
  count >= 2 ** 20 ? `${count / 2 ** 20}MiB` : `${count / 1024}KiB`

export function option(
  field: keyof typeof brokerOptions,
  facts: Facts & { known?: string },
): LimitRow {
  const row = brokerOptions[field]
  const format = row.format as (value: unknown) => string
  return { limit: row.name, value: format(row.default), known: field, ...facts }
}

export const constant = (known: string, value: number | string, facts: Facts): LimitRow => ({
  limit: known,
  value: String(value),
  known,
  ...facts,
})

export const server = 'broker/server'
export const transport = 'protocol/transport'
export const serverTest = 'test/broker/server'
export const transportTest = 'test/protocol/transport'
