/**
 * describe-configs, alter-configs: the settings of topics.
 *
 * Always true: an alteration applies all its settings or none.
 */
import { itemError, topicName } from './common.ts'
import { choice, defineApi, flag, group, list, optional, text, textMap } from './define.ts'

export const describeConfigs = defineApi({
  name: 'describe-configs',
  about: 'Shows every setting of topics, with where its value comes from.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION'],
  request: { topics: list(topicName(), 'Which topics.', 1000) },
  response: {
    topics: list(
      group(
        {
          name: topicName(),
          error: itemError(),
          configs: list(
            group(
              {
                name: text('The setting.', 200),
                value: text('Its value as text.'),
                origin: choice(['topic', 'broker', 'default'], 'Who set it.'),
                default: text('Value without any setting.'),
                about: text('What it does.'),
              },
              'One setting.',
            ),
            'All settings, in table order; empty with an error.',
          ),
        },
        'Same order as the request.',
      ),
      'Answers.',
    ),
  },
})

export const alterConfigs = defineApi({
  name: 'alter-configs',
  about: 'Changes settings of one topic, all or none of them.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_CONFIG', 'DISK_FULL'],
  request: {
    topic: topicName(),
    configs: textMap('New values; null takes a setting back to its default.'),
    validateOnly: optional(flag('Check only.')),
  },
  response: {},
})
