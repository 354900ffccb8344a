/**
 * topic list, describe, delete, trim: the verbs that show topics or take data away.
 *
 * Always true: what destroys data asks first on a terminal and needs --yes without one; delete asks
 * for the name.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Client } from '../types/client.ts'
import { type CommandContext, defineCommand, withClient } from './command.ts'
import { usageError } from './failure.ts'
import { describeText, type TrimResult, topicListing, trimListing } from './topic-views.ts'
import { forEachName } from './topic-write.ts'
import { parsePartitions, parseWhole } from './units.ts'

export const topicListCommand = defineCommand({
  usage: 'list [pattern]',
  about: 'List topics',
  examples: [
    ['$0 topic list', 'all of them'],
    ["$0 topic list '^orders'", 'those that match a regular expression'],
  ],
  positionals: { pattern: { type: 'string', describe: 'Regular expression over names' } },
  options: {},
  run: async (context, args) => {
    const pattern = args.pattern === undefined ? null : patternOf(args.pattern)
    return withClient(context, async client => {
      const topics = await client.admin.topics.list({ signal: context.signal })
      const shown = topics.filter(topic => pattern?.test(topic.name) ?? true)
      shown.sort((a, b) => (a.name < b.name ? -1 : 1))
      context.output.list(shown, topicListing)
      return undefined
    })
  },
})

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    throw usageError(`"${text}" is no regular expression: ${(error as Error).message}`)
  }
}

export const topicDescribeCommand = defineCommand({
  usage: 'describe <topic..>',
  about: 'Show partitions, offsets, sizes and settings of topics',
  examples: [
    ['$0 topic describe orders', 'partitions, and the settings that were set'],
    ['$0 topic describe orders --output wide', 'every setting with its default'],
  ],
  positionals: {
    topic: { type: 'string', array: true, demandOption: true, describe: 'Names' },
  },
  options: {},
  run: async (context, args) =>
    withClient(context, async client => {
      const { output } = context
      const { done, failure } = await forEachName(context, args.topic, name =>
        client.admin.topics.describe(name, { signal: context.signal }),
      )
      if (output.form === 'table' || output.form === 'wide') {
        const wide = output.form === 'wide'
        context.terminal.write(done.map(topic => describeText(topic, wide)).join('\n'))
      } else if (done.length > 0 || failure === null) {
        output.list(done, { columns: [], name: topic => topic.name })
      }
      if (failure !== null) throw failure
      return undefined
    }),
})

/** The name must be typed; on anything but a terminal --yes is needed. */
async function confirmName(context: CommandContext, name: string, loss: string): Promise<void> {
  if (context.yes) return
  if (!context.terminal.inputIsTty) {
    throw usageError(`${loss}, and nobody can be asked`, 'say --yes to do it all the same')
  }
  const answer = await context.terminal.ask(`${loss}. Type the name "${name}" to go on: `)
  if (answer.trim() !== name) throw new SluiceError('ABORTED', 'not confirmed, nothing was done')
}

export const topicDeleteCommand = defineCommand({
  usage: 'delete <topic..>',
  about: 'Delete topics with all their records',
  examples: [
    ['$0 topic delete orders', 'asks for the name'],
    ['$0 topic delete orders --yes', 'asks nothing'],
  ],
  positionals: {
    topic: { type: 'string', array: true, demandOption: true, describe: 'Names' },
  },
  options: {},
  run: async (context, args) =>
    withClient(context, async client => {
      const { topics } = client.admin
      const all = await topics.list({ signal: context.signal })
      const { done, failure } = await forEachName(context, args.topic, async name => {
        const found = all.find(topic => topic.name === name)
        if (found === undefined) {
          throw new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', `topic "${name}" not found`)
        }
        if (context.dryRun) return found
        await confirmName(context, name, `deleting topic "${name}" destroys its records`)
        await topics.delete(name, { signal: context.signal })
        return found
      })
      if (done.length > 0 || failure === null) context.output.list(done, topicListing)
      if (context.dryRun) context.output.say('dry run: nothing was deleted')
      if (failure !== null) throw failure
      return undefined
    }),
})

async function trimPlan(
  client: Client,
  context: CommandContext,
  options: { topic: string; partitions: number[] | null; before: number },
): Promise<TrimResult[]> {
  const { topic, partitions, before } = options
  const described = await client.admin.topics.describe(topic, { signal: context.signal })
  const chosen = partitions ?? described.partitionDetails.map(p => p.partition)
  return chosen.map(partition => {
    const now = described.partitionDetails.find(p => p.partition === partition)
    if (now === undefined) {
      throw new SluiceError(
        'UNKNOWN_TOPIC_OR_PARTITION',
        `"${topic}" has no partition ${partition}`,
      )
    }
    const target = before < 0 ? now.highWatermark : before
    if (target > now.highWatermark) {
      throw new SluiceError(
        'OFFSET_OUT_OF_RANGE',
        `partition ${partition} ends at ${now.highWatermark}, below ${target}`,
      )
    }
    return { topic, partition, logStartOffset: Math.max(target, now.logStartOffset) }
  })
}

export const topicTrimCommand = defineCommand({
  usage: 'trim <topic>',
  about: 'Remove the oldest records, up to an offset',
  examples: [
    ['$0 topic trim orders -p 0 --before 5000', 'offsets below 5000 of partition 0'],
    ['$0 topic trim orders --before end --yes', 'everything in it'],
  ],
  positionals: { topic: { type: 'string', demandOption: true, describe: 'Name' } },
  options: {
    before: {
      type: 'string',
      demandOption: true,
      coerce: (text: string) => (text === 'end' ? -1 : parseWhole(text)),
      describe: 'First offset to keep, or end',
    },
    partition: {
      alias: 'p',
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Only these: 0 or 0,2 or 0-3 [all]',
    },
  },
  run: async (context, args) => {
    const { topic, before } = args
    const partitions = args.partition === undefined ? null : parsePartitions(args.partition)
    return withClient(context, async client => {
      const planned = await trimPlan(client, context, { topic, partitions, before })
      if (context.dryRun) {
        context.output.list(planned, trimListing)
        context.output.say('dry run: nothing was removed')
        return undefined
      }
      await confirmName(context, topic, `trimming topic "${topic}" destroys records`)
      const done: TrimResult[] = []
      for (const { partition } of planned) {
        const call = { signal: context.signal }
        const logStartOffset = await client.admin.topics.trim(topic, partition, before, call)
        done.push({ topic, partition, logStartOffset })
      }
      context.output.list(done, trimListing)
      return undefined
    })
  },
})
