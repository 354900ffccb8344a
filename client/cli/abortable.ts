/**
 * Abortable: reading that ends when a signal says so, although the next chunk may never come.
 *
 * Always true: chunks come in order until the input ends or the signal aborts; a read that is under
 * way is left behind, not waited for (a terminal's stdin gives nothing until a key is pressed).
 * Used by produce.
 */

/** The chunks of `input` until it ends or `signal` aborts. */
export async function* untilAborted<T>(
  input: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  if (signal.aborted) return
  const aborted = new Promise<null>(resolve => {
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
  const iterator = input[Symbol.asyncIterator]()
  while (!signal.aborted) {
    const next = iterator.next()
    // a read that is left behind may still fail, and then nobody is interested
    next.catch(() => {})
    const result = await Promise.race([next, aborted])
    if (result === null || result.done === true) return
    yield result.value
  }
}
