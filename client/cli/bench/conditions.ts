/**
 * Conditions: what a figure depends on besides the bench itself: machine, versions, commit, the
 * disk's own speed, and the processor time that client and broker used.
 *
 * Always true: measured in the same run as the figure; what cannot be found out is null, never
 * left out.
 * Used by frame.ts for every bench.
 */
import type { Clock } from '../../../protocol/world.ts'
import { showTime } from '../calendar.ts'
import type { CommandContext } from '../command.ts'
import type { Host, Terminal } from '../terminal.ts'
import { commitOf } from './commit.ts'
import { type DiskSpeed, probeDisk } from './disk-probe.ts'
import { rounded } from './latencies.ts'
import { dataDirectoryOf, findBroker, type ProcessUsage, usageOf } from './local-broker.ts'

export interface MachineFacts {
  readonly sluice: string
  readonly commit: string | null
  readonly node: string
  readonly nodeFlags: readonly string[]
  readonly platform: string
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryBytes: number
}

export interface Conditions {
  /** When it began, RFC 3339, UTC. */
  readonly date: string
  readonly flags: readonly string[]
  readonly machine: MachineFacts
  /** null where the broker's disk is not known here. */
  readonly disk: DiskSpeed | null
}

/** What was used between warm-up and end. */
export interface Used {
  /** Processor seconds of this process. */
  readonly clientCpuSeconds: number
  readonly clientRssBytes: number
  /** null where the broker does not run here. */
  readonly brokerCpuSeconds: number | null
  readonly brokerRssBytes: number | null
}

export interface ConditionOptions {
  /** Where to measure the disk; null = not at all; undefined = where a local broker has it. */
  readonly disk: string | null | undefined
  readonly brokerPid: number | undefined
}

async function machineFacts(terminal: Terminal): Promise<MachineFacts> {
  const { node, nodeFlags, platform, kernel, cpu, cpus, memoryBytes } = terminal.machine()
  const commit = await commitOf(terminal.host)
  const sluice = terminal.version()
  return { sluice, commit, node, nodeFlags, platform, kernel, cpu, cpus, memoryBytes }
}

/** @throws SluiceError INVALID_ARGUMENT where the directory that was named cannot be written */
function diskSpeed(host: Host, clock: Clock, directory: string, isNamed: boolean) {
  try {
    return probeDisk({ directory, clock, open: host.scratchFile })
  } catch (error) {
    // one that was only guessed may belong to somebody else
    if (isNamed) throw error
    return null
  }
}

/** The conditions, and the pid of a local broker. */
export async function findConditions(
  context: CommandContext,
  options: ConditionOptions,
): Promise<{ conditions: Conditions; brokerPid: number | null }> {
  const { terminal, world, servers } = context
  const { host } = terminal
  const brokerPid = options.brokerPid ?? (await findBroker(host, servers))
  const found = brokerPid === null ? null : await dataDirectoryOf(host, brokerPid)
  const directory = options.disk === undefined ? found : options.disk
  const disk =
    directory === null ? null : diskSpeed(host, world.clock, directory, options.disk !== undefined)
  const conditions = {
    date: showTime(world.clock.wallMs()),
    flags: terminal.words,
    machine: await machineFacts(terminal),
    disk,
  }
  return { conditions, brokerPid }
}

/** Processor time and memory of both sides between two moments. */
export class UsageSpan {
  readonly #host: Host
  readonly #brokerPid: number | null
  #begun: Promise<{ client: ProcessUsage; broker: ProcessUsage | null }> | null = null

  constructor(host: Host, brokerPid: number | null) {
    this.#host = host
    this.#brokerPid = brokerPid
  }

  /** May be called again: the last call counts. */
  begin(): void {
    this.#begun = this.#look()
  }

  async end(): Promise<Used> {
    const now = await this.#look()
    const begun = await (this.#begun ?? this.#look())
    const { client, broker } = now
    const since = (used: ProcessUsage, before: ProcessUsage): number =>
      rounded(used.cpuSeconds - before.cpuSeconds, 3)
    return {
      clientCpuSeconds: since(client, begun.client),
      clientRssBytes: client.rssBytes,
      brokerCpuSeconds:
        broker === null || begun.broker === null ? null : since(broker, begun.broker),
      brokerRssBytes: broker?.rssBytes ?? null,
    }
  }

  async #look(): Promise<{ client: ProcessUsage; broker: ProcessUsage | null }> {
    const client = this.#host.usage()
    const broker = this.#brokerPid === null ? null : await usageOf(this.#host, this.#brokerPid)
    return { client, broker }
  }
}
