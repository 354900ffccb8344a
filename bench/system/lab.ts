/**
 * Lab: where one row of the suite is measured: a directory on a real disk, brokers and benches as
 * processes of their own, as a user would start them.
 *
 * Always true: brokers are stopped and the directory is gone when the lab is closed, whatever
 * happened; the lane's signal kills brokers and benches; what a bench answers is freed of this
 * machine's paths, because it is committed.
 * Made by bench/run.ts for each row.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchReport } from '../../client/cli/bench/report.ts'
import { resultsIn } from '../../client/cli/bench/results-in.ts'
import { type BrokerProcess, startBrokerProcess } from '../demo/broker-process.ts'
import { dataParent } from '../support/disk.ts'
import type { Lane } from '../support/lane.ts'

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))
const benchTimeoutMs = 15 * 60_000

export interface LabOptions {
  /** Few records: proves that everything works, says nothing about speed. */
  readonly quick: boolean
  /** Directory for the data; default: the temporary one, if it lies on a disk. */
  readonly directory: string | undefined
  readonly lane: Lane
}

/** The report without paths and addresses of this machine. */
function freed(report: BenchReport, words: readonly string[]): BenchReport {
  const { disk } = report
  return {
    ...report,
    flags: ['bench', ...words],
    disk: disk === null ? null : { ...disk, directory: 'data directory' },
  }
}

export class Lab {
  readonly quick: boolean
  readonly #lane: Lane
  /** Holds the data directory and what a bench answers. */
  readonly #directory: string
  readonly #flags = new Set<string>()
  #broker: BrokerProcess | null = null

  private constructor(options: LabOptions, directory: string) {
    this.quick = options.quick
    this.#lane = options.lane
    this.#directory = directory
  }

  static async open(options: LabOptions): Promise<Lab> {
    const parent = dataParent(options.directory)
    const lab = new Lab(options, options.lane.directory(parent, 'sluice-bench-'))
    await mkdir(lab.#dataDir)
    return lab
  }

  get #dataDir(): string {
    return join(this.#directory, 'data')
  }

  /** What brokers were started with so far, beside place and log: a figure depends on it. */
  get brokerFlags(): string {
    return [...this.#flags].join(', ')
  }

  /** Full where figures count, few where only the way is to be proven. */
  sized<T>(full: T, quick: T): T {
    return this.quick ? quick : full
  }

  get broker(): BrokerProcess {
    if (this.#broker === null) throw new Error('this row has started no broker')
    return this.#broker
  }

  /** Starts a broker on the directory; one that runs is stopped first. */
  async start(flags: readonly string[] = [], listen = '127.0.0.1:0'): Promise<BrokerProcess> {
    await this.stop()
    if (flags.length > 0) this.#flags.add(flags.join(' '))
    const all = ['--log-level', 'warn', ...flags]
    const { signal } = this.#lane
    this.#broker = await startBrokerProcess({
      ...{ dataDir: this.#dataDir, listen, flags: all, signal },
    })
    return this.#broker
  }

  async stop(): Promise<void> {
    const broker = this.#broker
    this.#broker = null
    await broker?.stop()
  }

  /**
   * `sluice bench …words` against the broker, under `node …nodeFlags`, which the report names.
   * @throws Error where it does not end with 0
   */
  async bench(words: readonly string[], nodeFlags: readonly string[] = []): Promise<BenchReport[]> {
    const file = join(this.#directory, 'result.json')
    const place = ['-s', this.broker.url, '--broker-pid', String(this.broker.pid)]
    const all = ['bench', ...words, ...place, '-q', '--json-file', file]
    const child = spawn(process.execPath, [...nodeFlags, launcher, ...all], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: benchTimeoutMs,
      killSignal: 'SIGKILL',
      signal: this.#lane.signal,
    })
    const failed = once(child, 'error').then(([error]) => Promise.reject(error))
    let said = ''
    child.stderr.on('data', chunk => {
      said = (said + String(chunk)).slice(-4096)
    })
    const [code, by] = await Promise.race([once(child, 'close'), failed])
    if (code !== 0) throw new Error(`bench ${words.join(' ')}: exit ${code ?? by}: ${said}`)
    return resultsIn(await readFile(file, 'utf8'), file).map(report => freed(report, words))
  }

  async close(): Promise<void> {
    await this.stop().finally(() => this.#lane.remove(this.#directory))
  }
}
