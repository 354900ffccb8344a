/**
 * Config table: all options as a markdown table, for the README and `sluice help config`.
 *
 * Always true: made from the option rows alone; a test compares the README with it.
 * Called by the command line and the README's check.
 */

import { brokerOptions } from './broker-config.ts'
import { flagOf } from './load-config.ts'
import type { Option } from './option.ts'
import { topicOptions } from './topic-config.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

function row(option: Option<unknown>, cells: readonly string[]): string {
  const fallback = option.format(option.default)
  const shown = fallback === '' ? '–' : `\`${fallback}\``
  return `| ${[...cells, cell(option.type), shown, cell(option.about)].join(' | ')} |`
}

/** Two markdown tables: broker options and topic settings. */
export function renderConfigTable(): string {
  const broker = Object.values(brokerOptions).map(option =>
    row(option as Option<unknown>, [`\`${option.name}\``, `\`${flagOf(option.name)}\``]),
  )
  const topic = Object.values(topicOptions).map(option =>
    row(option as Option<unknown>, [`\`${option.name}\``, option.live ? 'live' : 'at creation']),
  )
  return [
    '| broker option | flag | value | default | |',
    '|---|---|---|---|---|',
    ...broker,
    '',
    '| topic setting | change | value | default | |',
    '|---|---|---|---|---|',
    ...topic,
    '',
  ].join('\n')
}
