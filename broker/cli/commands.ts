/**
 * Commands: what only a machine with the broker's code can run; added to the tree of client/cli.
 *
 * Used by main.ts and by the tests of the command tree.
 */
import type { CommandTree } from '../../client/cli/command.ts'

export const brokerCommands: CommandTree = [
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
