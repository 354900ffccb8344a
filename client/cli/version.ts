/**
 * version: which Sluice, which Node, which protocol.
 *
 * Always true: needs no broker. Its JSON shape is API.
 */
import { subprotocol } from '../../protocol/frame.ts'
import { defineLocalCommand } from './command.ts'

export const versionCommand = defineLocalCommand({
  usage: 'version',
  about: 'Show the versions of Sluice, its protocol and Node',
  examples: [['$0 version -j', 'as JSON']],
  positionals: {},
  options: {},
  run: async ({ terminal, output }) => {
    const { node, platform } = terminal.machine()
    const version = terminal.version()
    const answer = { version, protocol: subprotocol, node, platform }
    output.item(answer, `sluice ${version} (${subprotocol}, node ${node}, ${platform})`, version)
    return undefined
  },
})
