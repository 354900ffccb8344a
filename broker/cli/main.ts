/**
 * Main: the one `sluice` binary: commands of both rooms, the real terminal, the real world.
 *
 * Always true: nothing heavy is imported before a command is named; the process ends by itself when
 * the command is done, with the exit code that runCli answered.
 * Loaded by launcher.cts.
 */
import { runCli } from '../../client/cli/cli.ts'
import type { Opened } from '../../client/cli/command.ts'
import { processTerminal } from '../../client/cli/terminal.ts'
import { allCommands } from './commands.ts'

async function open(): Promise<Opened> {
  const { realWorld } = await import('../../protocol/real-world.ts')
  const { paceCollector } = await import('../world/collector-pace.ts')
  const world = await realWorld()
  paceCollector(world.timers)
  return {
    world,
    connect: async options => {
      const { connect } = await import('../../client/index.ts')
      return connect(options, world)
    },
  }
}

const terminal = processTerminal()
const code = await runCli(terminal.words, { terminal, open }, allCommands)
terminal.end(code)
