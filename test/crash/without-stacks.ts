/**
 * Without stacks: runs work in which a missing file is the rule, and an error with its stack would
 * cost more than all the rest.
 *
 * Always true: afterwards errors have as much of a stack as before.
 * Called by explore.ts and sweep.ts.
 */
export async function withoutStacks<T>(work: () => Promise<T>): Promise<T> {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return await work()
  } finally {
    Error.stackTraceLimit = before
  }
}
