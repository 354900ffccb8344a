/**
 * Common: fields that several messages share, so that a partition is addressed in one way
 * everywhere.
 *
 * Always true: a partition is named by topic, topic id and number; the id decides, the name is for
 * people and for finding the id's successor (UNKNOWN_TOPIC_ID says that the name now means another
 * topic).
 */
import { flag, group, integer, optional, text } from './define.ts'

/** Kafka's limit; names travel and are directory names. */
export const maxTopicNameLength = 249

export const topicName = () => text('The topic.', maxTopicNameLength)
export const topicId = () =>
  text('Id given at creation, 22 characters of base64url; never used again.', 64)
export const partitionNumber = () => integer('The partition, from 0.', 0, 2 ** 31 - 1)
export const offset = (about: string) => integer(about, 0)

/** The error of one item of a request; its neighbours are not affected. */
export const itemError = () =>
  optional(
    group(
      {
        code: text('A row of the error table.'),
        message: text('For people.', 8192),
        retriable: flag('As in the error table.'),
        maybeApplied: flag('The write may have happened all the same.'),
        hint: optional(text('What to do.', 8192)),
        topic: optional(topicName()),
        partition: optional(partitionNumber()),
        broker: optional(integer('The broker that answered.')),
        retryAfterMs: optional(integer('When to come again.')),
      },
      'Present instead of a result.',
    ),
  )
