/**
 * Commands: what only a machine with the broker's code can run; added to the tree of client/cli.
 *
 * Used by main.ts and by the tests of the command tree.
 */
import type { CommandTree } from '../../client/cli/command.ts'
import { clientCommands } from '../../client/cli/commands.ts'

const brokerCommands: CommandTree = [
  {
    usage: 'start',
    about: 'Run one broker in the foreground',
    load: async () => (await import('./start.ts')).startCommand,
  },
  {
    name: 'segment',
    about: 'Segment files on disk, without a broker: dump, verify',
    verbs: [
      {
        usage: 'dump <path..>',
        about: 'Show the batches or records of segment files, the entries of index files',
        load: async () => (await import('./segment-dump.ts')).segmentDumpCommand,
      },
      {
        usage: 'verify <path..>',
        about: 'Check segment files and their indexes',
        load: async () => (await import('./segment-verify.ts')).segmentVerifyCommand,
      },
    ],
  },
]

/** Everything that `sluice` knows. */
export const allCommands: CommandTree = [
  ...brokerCommands,
  ...clientCommands,
  {
    usage: 'completion <shell>',
    about: 'Print a completion script for bash, zsh or fish',
    load: async () => {
      const { completionCommandOf } = await import('../../client/cli/completion.ts')
      return completionCommandOf(() => allCommands)
    },
  },
]
