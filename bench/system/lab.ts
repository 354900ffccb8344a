/**
 * Lab: where one row of the suite is measured: a directory on a real disk, brokers and benches as
 * processes of their own, as a user would start them.
 *
 * Always true: brokers are stopped and the directory is gone when the lab is closed, whatever
 * happened; what a bench answers is freed of this machine's paths, because it is committed.
 * Made by bench/run.ts for each row.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchReport } from '../../client/cli/bench/report.ts'
import { resultsIn } from '../../client/cli/bench/results-in.ts'
import { type BrokerProcess, startBrokerProcess } from '../demo/broker-process.ts'

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))
/** statfs(2) of a file system in memory, which no fsync can make durable. */
const tmpfsType = 0x01021994
const benchTimeoutMs = 15 * 60_000

export interface LabOptions {
  /** Few records: proves that everything works, says nothing about speed. */
  readonly quick: boolean
  /** Directory for the data; default: the temporary one, if it lies on a disk. */
  readonly directory: string | null
}

async function onDisk(): Promise<string> {
  const { type } = await statfs(tmpdir())
  return type === tmpfsType ? root : tmpdir()
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
  readonly dataDir: string
  #broker: BrokerProcess | null = null

  private constructor(options: LabOptions, dataDir: string) {
    this.quick = options.quick
    this.dataDir = dataDir
  }

  static async open(options: LabOptions): Promise<Lab> {
    const parent = options.directory ?? (await onDisk())
    return new Lab(options, await mkdtemp(join(parent, 'sluice-bench-')))
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
    const all = ['--log-level', 'warn', ...flags]
    this.#broker = await startBrokerProcess({ dataDir: this.dataDir, listen, flags: all })
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
    const file = join(this.dataDir, '..', `result-${process.pid}-${Date.now()}.json`)
    const place = ['-s', this.broker.url, '--broker-pid', String(this.broker.pid)]
    const all = ['bench', ...words, ...place, '-q', '--json-file', file]
    const child = spawn(process.execPath, [...nodeFlags, launcher, ...all], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: benchTimeoutMs,
    })
    let said = ''
    child.stderr.on('data', chunk => {
      said = (said + String(chunk)).slice(-4096)
    })
    const [code, signal] = await once(child, 'close')
    try {
      if (code !== 0) throw new Error(`bench ${words.join(' ')}: exit ${code ?? signal}: ${said}`)
      return resultsIn(await readFile(file, 'utf8'), file).map(report => freed(report, words))
    } finally {
      await rm(file, { force: true })
    }
  }

  async close(): Promise<void> {
    await this.stop().finally(() => rm(this.dataDir, { recursive: true, force: true }))
  }
}
