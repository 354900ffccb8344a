/**
 * Bench topic: the clients of a bench and the topic that they work on.
 *
 * Always true: what was opened is closed, and a topic that was made is deleted, in every case
 * (unless it is to be kept), also when the bench was interrupted and its own connections are gone.
 * Used by the benches that write.
 */
import type { TopicDescription } from '../../types/administering.ts'
import type { Client, ConnectOptions } from '../../types/client.ts'
import { type CommandContext, openClient } from '../command.ts'

export interface TopicPlan {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
  readonly keep: boolean
}

/** The topic as it is, or as it was just made. */
async function openTopic(
  client: Client,
  context: CommandContext,
  plan: TopicPlan,
): Promise<{ described: TopicDescription; made: boolean }> {
  const { topics } = client.admin
  const call = { signal: context.signal }
  const all = await topics.list(call)
  const made = !all.some(topic => topic.name === plan.name)
  const { name, partitions, configs } = plan
  if (made) await topics.create({ name, partitions, configs }, call)
  return { described: await topics.describe(name, call), made }
}

/** Over a connection of its own: an interrupt has closed the others. */
async function deleteTopic(context: CommandContext, name: string): Promise<void> {
  const { servers, timeoutMs, connect } = context
  const client = await connect({ servers, clientId: 'sluice-cli', connectTimeoutMs: timeoutMs })
  try {
    await client.admin.topics.delete(name, { timeoutMs })
  } finally {
    await client.close()
  }
}

/** Opens `count` clients, gives them to `use`, closes them in every case. */
export async function withClients<T>(
  context: CommandContext,
  count: number,
  options: Partial<ConnectOptions>,
  use: (clients: readonly Client[]) => Promise<T>,
): Promise<T> {
  const clients: Client[] = []
  try {
    for (let i = 0; i < count; i++) {
      // one signal each: Node warns of a leak where more than ten listen to the same one
      const signal = AbortSignal.any([context.signal])
      clients.push(await openClient(context, { ...options, signal }))
    }
    return await use(clients)
  } finally {
    await Promise.all(clients.map(client => client.close()))
  }
}

/** Opens or makes the topic, gives it to `use`, deletes it afterwards if it was made here. */
export async function withTopic<T>(
  context: CommandContext,
  client: Client,
  plan: TopicPlan,
  use: (topic: TopicDescription) => Promise<T>,
): Promise<T> {
  const { described, made } = await openTopic(client, context, plan)
  try {
    return await use(described)
  } finally {
    if (made && !plan.keep) await deleteTopic(context, plan.name)
  }
}
