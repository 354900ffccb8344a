/**
 * Commands: the tree of what any client can run; each verb's file is loaded only when it is named.
 *
 * Always true: usage and text here equal those of the command that is loaded (a test compares
 * them).
 * Used by broker/cli/main.ts, which adds start and segment.
 */
import { measuringVerbs } from './bench/measuring-verbs.ts'
import type { CommandTree } from './command.ts'

export const clientCommands: CommandTree = [
  {
    name: 'topic',
    about: 'Topics: list, create, describe, alter, delete, trim, add-partitions',
    verbs: [
      {
        usage: 'list [pattern]',
        about: 'List topics',
        load: async () => (await import('./topic.ts')).topicListCommand,
      },
      {
        usage: 'create <topic..>',
        about: 'Create topics',
        load: async () => (await import('./topic-write.ts')).topicCreateCommand,
      },
      {
        usage: 'describe <topic..>',
        about: 'Show partitions, offsets, sizes and settings of topics',
        load: async () => (await import('./topic.ts')).topicDescribeCommand,
      },
      {
        usage: 'alter <topic>',
        about: 'Change settings of a topic, all or none of them',
        load: async () => (await import('./topic-write.ts')).topicAlterCommand,
      },
      {
        usage: 'delete <topic..>',
        about: 'Delete topics with all their records',
        load: async () => (await import('./topic.ts')).topicDeleteCommand,
      },
      {
        usage: 'trim <topic>',
        about: 'Remove the oldest records, up to an offset',
        load: async () => (await import('./topic.ts')).topicTrimCommand,
      },
      {
        usage: 'add-partitions <topic> <total>',
        about: 'Raise the number of partitions; keys may move to other partitions',
        load: async () => (await import('./topic-write.ts')).topicAddPartitionsCommand,
      },
    ],
  },
  {
    usage: 'produce [topic] [file..]',
    about: 'Write records from stdin or files, a line each unless told otherwise',
    load: async () => (await import('./produce.ts')).produceCommand,
  },
  {
    usage: 'consume <topic..>',
    about: 'Print records, one JSON line each unless told otherwise',
    load: async () => (await import('./consume.ts')).consumeCommand,
  },
  {
    name: 'check',
    about: 'For monitoring, with exit codes as Nagios has them: connection, disk, topic',
    verbs: [
      {
        usage: 'connection',
        about: 'Check that a broker answers, and how fast',
        load: async () => (await import('./check-connection.ts')).checkConnectionCommand,
      },
      {
        usage: 'disk',
        about: 'Check free space and fsync times of a broker',
        load: async () => (await import('./check-disk.ts')).checkDiskCommand,
      },
      {
        usage: 'topic <topic>',
        about: 'Check that a topic is whole, not too large, and fresh',
        load: async () => (await import('./check-topic.ts')).checkTopicCommand,
      },
    ],
  },
  {
    name: 'bench',
    about: 'Measure: produce, consume, e2e, connections, run, compare',
    verbs: [
      ...measuringVerbs,
      {
        usage: 'run <suite>',
        about: 'Run the benches of a JSON suite file, one after the other',
        load: async () => (await import('./bench/run.ts')).benchRunCommand,
      },
      {
        usage: 'compare <before> <after>',
        about: 'Compare two result files; exit code 1 where the second is worse',
        load: async () => (await import('./bench/compare.ts')).benchCompareCommand,
      },
    ],
  },
  {
    usage: 'version',
    about: 'Show the versions of Sluice, its protocol and Node',
    load: async () => (await import('./version.ts')).versionCommand,
  },
  {
    name: 'help',
    about: 'Reference: errors, exit-codes, offsets, formats, env',
    verbs: [
      {
        usage: 'errors [code]',
        about: 'Show the error table, or one row of it',
        load: async () => (await import('./help.ts')).helpErrorsCommand,
      },
      {
        usage: 'exit-codes',
        about: 'Show what each exit code means',
        load: async () => (await import('./help.ts')).helpExitCodesCommand,
      },
      {
        usage: 'offsets',
        about: 'Show how to say where consume begins and ends',
        load: async () => (await import('./help.ts')).helpOffsetsCommand,
      },
      {
        usage: 'formats',
        about: 'Show the verbs of -f in produce and consume',
        load: async () => (await import('./help.ts')).helpFormatsCommand,
      },
      {
        usage: 'env',
        about: 'Show the environment variables',
        load: async () => (await import('./help.ts')).helpEnvCommand,
      },
    ],
  },
]
