/**
 * Topic config: every setting a topic may have, under Kafka's names, as one table; and the way from
 * a topic's own settings to what storage works with.
 *
 *   value = the topic's own setting ?? the broker's `topic.<name>` ?? the table's default
 *
 * Always true: a stored config map passed `checkTopicConfigs`; an unknown name is refused with the
 * nearest one.
 * Called by replication/topic-lifecycle.ts, server/handlers/ and broker-config.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { nearestName } from './nearest-name.ts'
import { bytes, choice, duration, type Option, type ValuesOf } from './option.ts'

const KiB = 1024
const day = 86_400_000

export const topicOptions = {
  segmentBytes: bytes('segment.bytes', {
    default: 1024 * KiB * KiB,
    min: KiB,
    max: 2 ** 31 - 1,
    live: true,
    about: 'Size at which a new segment file is begun.',
  }),
  segmentMs: duration('segment.ms', {
    default: 7 * day,
    min: 100,
    live: true,
    about: 'Age at which a segment that holds records is closed, also without traffic.',
  }),
  retentionMs: duration('retention.ms', {
    default: 7 * day,
    min: 0,
    minusOne: 'for ever',
    live: true,
    about: 'How long a closed segment is kept, counted from when the broker closed it.',
  }),
  retentionBytes: bytes('retention.bytes', {
    default: -1,
    min: 0,
    minusOne: 'no limit',
    live: true,
    about: 'Size of a partition above which its oldest closed segments go.',
  }),
  maxMessageBytes: bytes('max.message.bytes', {
    default: 8 * KiB * KiB,
    min: KiB,
    max: 1024 * KiB * KiB,
    live: true,
    about: 'Largest record batch that is accepted, as stored.',
  }),
  indexIntervalBytes: bytes('index.interval.bytes', {
    default: 4096,
    min: 0,
    max: 2 ** 31 - 1,
    live: true,
    about: 'Bytes of log between two index entries.',
  }),
  flush: choice('flush', ['commit', 'os'], {
    default: 'commit',
    live: true,
    about: 'What an ack means: commit = fsynced to disk; os = written to the page cache.',
  }),
  cleanupPolicy: choice('cleanup.policy', ['delete'], {
    default: 'delete',
    refused: {
      compact: 'log compaction does not exist in this version',
      'compact,delete': 'log compaction does not exist in this version',
      'delete,compact': 'log compaction does not exist in this version',
    },
    about: 'How old records go: delete = whole segments, by time and size.',
  }),
  timestampType: choice('message.timestamp.type', ['CreateTime'], {
    default: 'CreateTime',
    refused: {
      LogAppendTime: 'the broker never rewrites a batch, so it cannot stamp one',
    },
    about: 'Whose clock a record timestamp is: CreateTime = the one of the producer.',
  }),
} as const

/**
 * All settings of one topic, with the parts that storage reads under the names of its LogSettings.
 */
export type TopicSettings = ValuesOf<typeof topicOptions>
/** Settings as they travel and are stored: Kafka's names to text. */
export type TopicConfigs = Readonly<Record<string, string>>
type Field = keyof TopicSettings

export const topicOptionFields = Object.keys(topicOptions) as Field[]
const fieldByName = new Map(topicOptionFields.map(field => [topicOptions[field].name, field]))

/** @throws SluiceError INVALID_CONFIG with the nearest name */
export function topicOption(name: string): Option<unknown> {
  const field = fieldByName.get(name)
  if (field !== undefined) return topicOptions[field] as Option<unknown>
  const nearest = nearestName(name, fieldByName.keys())
  throw new SluiceError('INVALID_CONFIG', `there is no topic setting "${name.slice(0, 100)}"`, {
    hint:
      nearest === null ? `settings: ${[...fieldByName.keys()].join(', ')}` : `nearest: ${nearest}`,
  })
}

/** @throws SluiceError INVALID_CONFIG for an unknown name or a value out of range */
export function checkTopicConfigs(configs: TopicConfigs): void {
  for (const [name, text] of Object.entries(configs)) {
    const option = topicOption(name)
    const read = option.parse(text)
    if ('problem' in read) {
      throw new SluiceError(
        'INVALID_CONFIG',
        `${name} ${read.problem}, got "${text.slice(0, 100)}"`,
        { hint: option.about },
      )
    }
  }
}

/**
 * The settings in force for a topic with these configs, over the broker's own `defaults`.
 * @throws SluiceError INVALID_CONFIG
 */
export function topicSettings(configs: TopicConfigs, defaults: TopicConfigs): TopicSettings {
  checkTopicConfigs(configs)
  const settings: Record<string, unknown> = {}
  for (const field of topicOptionFields) {
    const option: Option<unknown> = topicOptions[field] as Option<unknown>
    const text = configs[option.name] ?? defaults[option.name]
    const read = text === undefined ? { value: option.default } : option.parse(text)
    settings[field] = 'value' in read ? read.value : option.default
  }
  return settings as TopicSettings
}
