/**
 * Topic name: which names a topic may have. Kafka's rule: 1 to 249 of `a-z A-Z 0-9 . _ -`, and not
 * `.` or `..`, so that a name is always one harmless directory name.
 *
 * Always true: a name in the catalogue passed `requireTopicName`. Names that differ only in `.` and
 * `_` are distinct topics: Kafka refuses them for the sake of its metric names, ours carry the name
 * as a label.
 * Called by catalogue.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { maxTopicNameLength } from '../../protocol/messages/common.ts'

/** @throws SluiceError INVALID_TOPIC */
export function requireTopicName(name: string): void {
  const problem = problemOf(name)
  if (problem === null) return
  throw new SluiceError('INVALID_TOPIC', `"${name.slice(0, 60)}" cannot be a topic: ${problem}`, {
    hint: `a topic name is 1 to ${maxTopicNameLength} of a-z A-Z 0-9 . _ - and not "." or ".."`,
  })
}

export const isTopicName = (name: string): boolean => problemOf(name) === null

function problemOf(name: string): string | null {
  if (name === '') return 'the name is empty'
  if (name === '.' || name === '..') return 'the name is a directory of its own'
  if (name.length > maxTopicNameLength) return `the name has ${name.length} characters`
  const stranger = /[^a-zA-Z0-9._-]/.exec(name)?.[0]
  return stranger === undefined ? null : `it holds ${JSON.stringify(stranger)}`
}
