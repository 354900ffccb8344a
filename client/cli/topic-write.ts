/**
 * topic create, alter, add-partitions: the verbs that make or change topics.
 *
 * Always true: written on client.admin alone, so a program can do all of it; --dry-run lets the
 * broker check everything and changes nothing.
 */
import { asSluiceError, type SluiceError } from '../../protocol/errors.ts'
import type { TopicDescription } from '../types/administering.ts'
import { type CommandContext, defineCommand, withClient } from './command.ts'
import { CommandFailure, exitCodeOf, exitCodes, type FailedItem, usageError } from './failure.ts'
import { type PlannedChange, plan, topicListing } from './topic-views.ts'
import { parseWhole } from './units.ts'

/** `a=b` pairs. @throws SluiceError INVALID_ARGUMENT */
export function parseSettings(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map(pair => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw usageError(`"${pair}" is not a setting`, 'write name=value')
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const
  })
  const names = entries.map(([name]) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw usageError(`"${twice}" is set twice`)
  return Object.fromEntries(entries)
}

/**
 * Runs `act` for each name; those that fail are said on stderr, under -j inside the one error. All
 * failed: the code of the first; some: exit 7.
 */
export async function forEachName<T>(
  context: CommandContext,
  names: readonly string[],
  act: (name: string) => Promise<T>,
): Promise<{ done: T[]; failure: CommandFailure | SluiceError | null }> {
  const done: T[] = []
  const failed: FailedItem[] = []
  for (const name of names) {
    try {
      done.push(await act(name))
    } catch (thrown) {
      const error = asSluiceError(thrown)
      failed.push({ name, error })
      if (names.length > 1 && !context.output.isJson) {
        context.output.say(`${name}: ${error.message} (${error.code})`)
      }
    }
  }
  const first = failed[0]?.error
  if (first === undefined) return { done, failure: null }
  if (names.length === 1) return { done, failure: first }
  const exitCode = done.length > 0 ? exitCodes.partlyDone : exitCodeOf(first.code)
  return { done, failure: new CommandFailure(first, exitCode, failed) }
}

const config = {
  alias: 'c',
  type: 'string',
  array: true,
  nargs: 1,
  describe: 'Setting as name=value, repeatable',
} as const

export const topicCreateCommand = defineCommand({
  usage: 'create <topic..>',
  about: 'Create topics',
  examples: [
    ['$0 topic create orders -p 6', 'six partitions'],
    ['$0 topic create logs -c retention.ms=86400000 -c flush=os', 'with settings'],
  ],
  positionals: {
    topic: { type: 'string', array: true, demandOption: true, describe: 'Names' },
  },
  options: {
    partitions: { alias: 'p', type: 'string', coerce: parseWhole, describe: 'How many [1]' },
    replicas: { alias: 'r', type: 'string', coerce: parseWhole, describe: 'Replication factor' },
    config,
  },
  run: async (context, args) => {
    const configs = parseSettings(args.config ?? [])
    return withClient(context, async client => {
      const { done, failure } = await forEachName(context, args.topic, name =>
        client.admin.topics.create(
          {
            name,
            configs,
            ...(args.partitions !== undefined && { partitions: args.partitions }),
            ...(args.replicas !== undefined && { replicationFactor: args.replicas }),
          },
          { validateOnly: context.dryRun, signal: context.signal },
        ),
      )
      if (done.length > 0 || failure === null) context.output.list(done, topicListing)
      if (context.dryRun && failure === null) context.output.say('dry run: nothing was created')
      if (failure !== null) throw failure
      return undefined
    })
  },
})

function changesOf(
  topic: TopicDescription,
  settings: Readonly<Record<string, string | null>>,
): PlannedChange[] {
  return Object.entries(settings).map(([setting, value]) => {
    const now = topic.configs.find(entry => entry.name === setting)
    return {
      setting,
      from: now?.value ?? '-',
      to: value ?? now?.default ?? '',
      ...(value === null && { unset: true as const }),
    }
  })
}

export const topicAlterCommand = defineCommand({
  usage: 'alter <topic>',
  about: 'Change settings of a topic, all or none of them',
  examples: [
    ['$0 topic alter orders -c retention.ms=3600000', 'keep one hour'],
    ['$0 topic alter orders --unset retention.ms --dry-run', 'show what would change'],
  ],
  positionals: { topic: { type: 'string', demandOption: true, describe: 'Name' } },
  options: {
    config,
    unset: {
      alias: 'u',
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'Take a setting back to its default, repeatable',
    },
  },
  run: async (context, args) => {
    const unset = Object.fromEntries((args.unset ?? []).map(name => [name, null]))
    const set = parseSettings(args.config ?? [])
    const both = Object.keys(set).find(name => Object.hasOwn(unset, name))
    if (both !== undefined) throw usageError(`"${both}" is both set and unset`)
    const settings = { ...set, ...unset }
    if (Object.keys(settings).length === 0) {
      throw usageError('nothing to change', 'give -c name=value or --unset name')
    }
    return withClient(context, async client => {
      const { topics } = client.admin
      const before = await topics.describe(args.topic, { signal: context.signal })
      await topics.alter(args.topic, settings, {
        validateOnly: context.dryRun,
        signal: context.signal,
      })
      context.output.list(changesOf(before, settings), plan)
      if (context.dryRun) context.output.say('dry run: nothing was changed')
      return undefined
    })
  },
})

export const topicAddPartitionsCommand = defineCommand({
  usage: 'add-partitions <topic> <total>',
  about: 'Raise the number of partitions; keys may move to other partitions',
  examples: [['$0 topic add-partitions orders 12', 'twelve in all']],
  positionals: {
    topic: { type: 'string', demandOption: true, describe: 'Name' },
    total: {
      type: 'string',
      coerce: parseWhole,
      demandOption: true,
      describe: 'Partitions afterwards',
    },
  },
  options: {},
  run: async (context, args) =>
    withClient(context, async client => {
      const { topics } = client.admin
      const call = { validateOnly: context.dryRun, signal: context.signal }
      await topics.addPartitions(args.topic, args.total, call)
      const all = await topics.list({ signal: context.signal })
      const now = all.filter(topic => topic.name === args.topic)
      context.output.list(now, topicListing)
      if (context.dryRun) context.output.say('dry run: nothing was changed')
      return undefined
    }),
})
