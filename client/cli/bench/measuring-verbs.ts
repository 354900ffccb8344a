/**
 * Measuring verbs: the benches that a command line, or a suite, may name.
 *
 * Always true: each one's file is loaded only when it is named; none of them runs another.
 * Used by commands.ts and by bench run.
 */
import type { CommandEntry } from '../command.ts'

export const measuringVerbs: readonly CommandEntry[] = [
  {
    usage: 'produce',
    about: 'Measure how fast records are acked',
    load: async () => (await import('./produce.ts')).benchProduceCommand,
  },
  {
    usage: 'consume',
    about: 'Measure how fast records are read, and check that all came',
    load: async () => (await import('./consume.ts')).benchConsumeCommand,
  },
  {
    usage: 'e2e',
    about: 'Measure the time from sending to delivery',
    load: async () => (await import('./e2e.ts')).benchE2eCommand,
  },
  {
    usage: 'connections',
    about: 'Measure what open connections cost, and latency beside them',
    load: async () => (await import('./connections.ts')).benchConnectionsCommand,
  },
]
