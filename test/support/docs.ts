/**
 * Docs: the parts of README.md that are made from the code, between `<!-- name:begin -->` and
 * `<!-- name:end -->`.
 *
 * Always true: what is outside the markers is never touched.
 * Called by write-docs.ts, which rewrites the parts, and by readme.test.ts, which compares them.
 */
import { renderConfigTable } from '../../broker/config/config-table.ts'
import { renderMetricTable } from '../../broker/metrics/metric-table.ts'
import { renderLogEvents } from '../../broker/world/log-events.ts'
import { errorAdvice } from '../../client/cli/error-advice.ts'
import { type ErrorCode, errorTable } from '../../protocol/errors.ts'
import { renderLimitsTable } from './limits-table.ts'

export function renderErrorTable(): string {
  const rows = Object.entries(errorTable).map(([code, { kafkaCode, retriable, meaning }]) =>
    [
      `\`${code}\``,
      kafkaCode ?? '–',
      retriable ? 'yes' : 'no',
      meaning,
      errorAdvice[code as ErrorCode],
    ].join(' | '),
  )
  const head = ['| code | Kafka | retriable | meaning | what to do |', '|---|---|---|---|---|']
  return [...head, ...rows.map(row => `| ${row} |`)].join('\n')
}

export const generatedParts: Readonly<Record<string, () => string>> = {
  config: renderConfigTable,
  limits: renderLimitsTable,
  metrics: renderMetricTable,
  events: renderLogEvents,
  errors: renderErrorTable,
}

const markers = (name: string): [string, string] => [
  `<!-- ${name}:begin -->`,
  `<!-- ${name}:end -->`,
]

/** What stands between the markers of a part, as it is; null where one of them is missing. */
function between(text: string, name: string): string | null {
  const [begin, end] = markers(name)
  const start = text.indexOf(begin)
  const stop = text.indexOf(end, start)
  return start < 0 || stop < 0 ? null : text.slice(start + begin.length, stop)
}

/** A part without the empty lines around it; null where one of its markers is missing. */
export const partOf = (text: string, name: string): string | null =>
  between(text, name)?.trim() ?? null

/** The text with every part made anew. Throws where a part has no place in it. */
export function withParts(text: string): string {
  return Object.entries(generatedParts).reduce((sofar, [name, render]) => {
    const old = between(sofar, name)
    if (old === null) throw new Error(`README.md has no markers for ${name}`)
    const [begin, end] = markers(name)
    return sofar.replace(`${begin}${old}${end}`, () => `${begin}\n${render().trim()}\n${end}`)
  }, text)
}
