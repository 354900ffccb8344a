/**
 * Invariant: what must be true whatever the outside world does. A broken one is a bug in Sluice,
 * never bad input: it carries the sentence and the values, and stops the broker loudly (the
 * composition root catches it and ends the process) instead of letting wrong data out.
 *
 * Called in pairs wherever storage rests on something: before a write and after a read.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  readonly values: Readonly<Record<string, unknown>>

  constructor(sentence: string, values: Readonly<Record<string, unknown>>) {
    super(`${sentence} ${JSON.stringify(values)}`)
    this.values = values
  }
}

/** Stops with `sentence` and `values` unless `condition` holds. @throws InvariantError */
export function invariant(
  condition: boolean,
  sentence: string,
  values: Readonly<Record<string, unknown>> = {},
): asserts condition {
  if (!condition) throw new InvariantError(sentence, values)
}
