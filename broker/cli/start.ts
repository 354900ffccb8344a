/**
 * start: one broker in the foreground.
 *
 *   stdout: one line when it is ready, `ready ws://HOST:PORT broker=1 cluster=…`      stderr: the log
 *
 * Always true: every option is a row of the broker's config table; SIGINT or SIGTERM stops it
 * cleanly with exit code 0, a second one at once; what keeps it from starting is one error with a
 * hint.
 */
import type { Options } from 'yargs'
import { defineLocalCommand, type LocalContext } from '../../client/cli/command.ts'
import { usageError } from '../../client/cli/failure.ts'
import type { Terminal } from '../../client/cli/terminal.ts'
import { SluiceError } from '../../protocol/errors.ts'
import { realClock, realTimers, realWorld } from '../../protocol/real-world.ts'
import {
  type ConfigSources,
  configRows,
  flagOf,
  type LoadedConfig,
  loadBrokerConfig,
} from '../config/load-config.ts'
import { type Broker, createBroker } from '../server/broker.ts'
import { paceCollector } from '../world/collector-pace.ts'
import { NodeDisk } from '../world/node-disk.ts'
import { RealProcess } from '../world/real-process.ts'
import { type BrokerLog, openBrokerLog } from './broker-log.ts'

type RawArgs = Readonly<Record<string, unknown>>

const flagName = (name: string): string => flagOf(name).slice('--'.length)

/**
 * The option table as yargs sees it; values stay text, so that one parser reads flags, environment
 * and file.
 */
function flagOptions(): Record<string, Options> {
  const rows = [...configRows()].map(([name, { option }]): [string, Options] => {
    const fallback = option.format(option.default)
    const shown = fallback === '' ? '' : ` [${fallback}]`
    const type = typeof option.default === 'boolean' ? 'boolean' : 'string'
    const group = name.startsWith('topic.') ? 'Defaults of topics:' : 'Broker:'
    return [flagName(name), { type, group, describe: `${option.about}${shown}` }]
  })
  return Object.fromEntries(rows)
}

function flagsOf(args: RawArgs): Record<string, string> {
  const given: Record<string, string> = {}
  for (const name of configRows().keys()) {
    const value = args[flagName(name)]
    if (value !== undefined) given[flagName(name)] = String(value)
  }
  return given
}

async function readConfigText(terminal: Terminal, path: string): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of terminal.readFile(path)) parts.push(chunk)
  return new TextDecoder().decode(Buffer.concat(parts))
}

async function loadConfig(context: LocalContext, args: RawArgs): Promise<LoadedConfig> {
  const { terminal, verbose } = context
  const path = args.config as string | undefined
  const flags = flagsOf(args)
  if (verbose) flags['log-level'] ??= 'debug'
  const sources: ConfigSources = {
    flags,
    environment: terminal.env,
    ...(path !== undefined && { file: { path, text: await readConfigText(terminal, path) } }),
  }
  return loadBrokerConfig(sources)
}

function showConfig(context: LocalContext, loaded: LoadedConfig): void {
  context.output.list(loaded.values, {
    columns: [
      { title: 'OPTION', cell: row => row.name },
      { title: 'VALUE', cell: row => row.value },
      { title: 'ORIGIN', cell: row => row.origin },
    ],
    name: row => row.name,
  })
  context.output.say('dry run: the configuration is sound, nothing was started')
}

function readyLine(broker: Broker): string {
  const { host, port, url, brokerId, clusterId } = broker
  const bound = `ws://${host.includes(':') ? `[${host}]` : host}:${port}`
  const advertised = url === bound ? '' : ` advertise=${url}`
  return `ready ${bound} broker=${brokerId} cluster=${clusterId}${advertised}\n`
}

/** Which signal asks the broker to stop. */
function untilSignal({ terminal, stop }: LocalContext): Promise<string> {
  return new Promise(resolve => {
    const unlisten = terminal.onSignal(name => {
      unlisten()
      resolve(name)
    })
    if (!stop.aborted) return
    unlisten()
    resolve('a signal while it was starting')
  })
}

/** Who runs with what: the settings that somebody made, and where. */
function noteStart({ terminal }: LocalContext, { values }: LoadedConfig, logger: BrokerLog): void {
  const made = values.filter(({ origin }) => origin !== 'default')
  const settings = made.map(({ name, value, origin }) => [name, `${value} (${origin})`])
  const { node, platform } = terminal.machine()
  const facts = { version: terminal.version(), node, platform, ...Object.fromEntries(settings) }
  logger.info({ event: 'starting', ...facts }, 'starting')
}

async function runBroker(
  context: LocalContext,
  loaded: LoadedConfig,
  logger: BrokerLog,
): Promise<void> {
  noteStart(context, loaded, logger)
  const process = new RealProcess(line => context.terminal.writeError(`${line}\n`))
  const world = { ...(await realWorld()), disk: new NodeDisk(), process }
  paceCollector(world.timers)
  const { node } = context.terminal.machine()
  const broker = await createBroker(loaded.config, world, { logger, ownProcess: { node } })
  context.terminal.write(readyLine(broker))
  const reason = await untilSignal(context)
  logger.info({ event: 'stopping', reason, dataDir: loaded.config.dataDir }, 'stopping')
  await broker.close()
}

export const startCommand = defineLocalCommand({
  usage: 'start',
  about: 'Run one broker in the foreground',
  examples: [
    ['$0 start', 'on 127.0.0.1:9290, data in ./sluice-data'],
    ['$0 start --listen 127.0.0.1:0 --data-dir /tmp/a', 'any free port; see the ready line'],
    ['$0 start --config sluice.json --dry-run', 'show every option and where it comes from'],
  ],
  positionals: {},
  options: {
    config: { type: 'string', describe: 'File of options (JSON); flags and environment win' },
    ...flagOptions(),
  },
  run: async (context, args) => {
    const { platform } = context.terminal.machine()
    if (platform.startsWith('win32')) {
      throw new SluiceError('UNSUPPORTED_PLATFORM', 'a broker does not run on Windows', {
        hint: 'run it in WSL or a container; the SDK and the other commands do run there',
      })
    }
    const raw = args as RawArgs
    if (raw.config === '') throw usageError('--config names no file')
    const loaded = await loadConfig(context, raw)
    if (context.dryRun) {
      showConfig(context, loaded)
      return 0
    }
    const logger = openBrokerLog({
      terminal: context.terminal,
      clock: realClock,
      timers: realTimers,
      level: loaded.config.logLevel,
    })
    try {
      await runBroker(context, loaded, logger)
    } finally {
      await logger.flush()
    }
    return 0
  },
})
