/**
 * Limits table: all limit rows as a markdown table for the README.
 *
 * Always true: made from the rows alone; limits.test.ts holds the rows against the code.
 * Called by docs.ts.
 */
import type { LimitRow } from './limit-row.ts'
import { memoryLimits, requestLimits } from './limit-rows-broker.ts'
import { connectionLimits, messageLimits } from './limit-rows-connection.ts'
import { sdkLimits } from './limit-rows-sdk.ts'

/** By who runs into it. */
export const limitRows: Readonly<Record<string, readonly LimitRow[]>> = {
  'who connects': connectionLimits,
  'who sends': messageLimits,
  'who asks': requestLimits,
  'all together': memoryLimits,
  'a program with the SDK': sdkLimits,
}

export function renderLimitsTable(): string {
  const rows = Object.entries(limitRows).flatMap(([who, limits]) =>
    limits.map(({ limit, value, file, beyond, test, proof }) =>
      [who, `\`${limit}\``, `\`${value}\``, `\`${file}\``, beyond, `[${proof}](${test})`].join(
        ' | ',
      ),
    ),
  )
  return [
    '| against | limit | default | held by | beyond it | test |',
    '|---|---|---|---|---|---|',
    ...rows.map(row => `| ${row} |`),
  ].join('\n')
}
