/**
 * Connection notes: what the person at the keyboard is told while a command waits for a broker.
 *
 *   waiting for ws://127.0.0.1:9290 …                          no broker has answered for a second
 *   lost ws://127.0.0.1:9290 (…), trying again    connected to ws://127.0.0.1:9290 again
 *
 * Always true: on stderr only, once per outage, and not under -q or in JSON output; the command
 * goes on as if nothing was said.
 * Called by command.ts for every command with a client.
 */
import type { TimerHandle, World } from '../../protocol/world.ts'
import type { Client } from '../types/client.ts'
import type { Output } from './output.ts'

export interface Noting {
  readonly world: Pick<World, 'timers'>
  readonly output: Output
  readonly servers: readonly string[]
}

const slowAfterMs = 1000

/** Says that nobody answers, unless the handle is cancelled within a second. */
export function noteSlowConnect({ world, output, servers }: Noting): TimerHandle {
  const note = (): void => output.say(`waiting for ${servers.join(', ')} …`)
  return world.timers.after(slowAfterMs, output.isJson ? () => undefined : note, {
    background: true,
  })
}

/** Ends when the client is closed. */
export async function noteOutages(client: Client, { output }: Noting): Promise<void> {
  if (output.isJson) return
  const lost = new Set<string>()
  for await (const status of client.status()) {
    if (status.type === 'reconnecting' && !lost.has(status.url)) {
      lost.add(status.url)
      output.say(`lost ${status.url} (${status.cause.message}), trying again`)
    }
    if (status.type === 'connected' && lost.delete(status.url)) {
      output.say(`connected to ${status.url} again`)
    }
  }
}
