/**
 * Settle: the end of a load: every record has its answer, and the log holds what was said.
 *
 * Used by the faults that run one load at a time.
 */
import { Comparison, compareTopic } from './comparison.ts'
import { connectQuickly, type Load, type LoadOptions } from './load.ts'

/** Stops the load, reads its topic and compares; answers the number of records read. */
export async function settle(load: Load, { url, topic, ...shape }: LoadOptions): Promise<number> {
  await load.stop()
  const comparison = new Comparison(shape, load.ledger)
  const client = await connectQuickly(url)
  try {
    await compareTopic(client, topic, comparison, load.read)
    return comparison.read
  } finally {
    await client.close()
  }
}
