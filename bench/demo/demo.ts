/**
 * Demo: the main job on real input: produce, kill the broker in the middle, go on, and check every
 * record.
 *
 *   broker 1 ── produce ── SIGKILL ── broker 2, same port and directory ── produce goes on ── consume and compare
 *
 * Always true: the exit code is 0 only if nothing differs; the broker and its directory are gone
 * afterwards, whatever happened. Run by `npm run demo`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../../client/index.ts'
import { type BrokerProcess, startBrokerProcess } from './broker-process.ts'
import { checkQuakes } from './check-quakes.ts'
import { AckLog, produceQuakes } from './produce-quakes.ts'
import { loadQuakes, type Quakes } from './quakes.ts'

const passes = 60
const partitions = 4
const deadlineMs = 28_000

const say = (label: string, text: string): void => {
  process.stdout.write(`${label.padEnd(12)}${text}\n`)
}
const count = (value: number): string => value.toLocaleString('en-US')

/** The broker of the moment; killed and replaced once. */
class Story {
  broker: BrokerProcess
  /** Resolves when the second broker is ready. */
  restarted: Promise<void> | null = null
  readonly #dataDir: string

  constructor(broker: BrokerProcess, dataDir: string) {
    this.broker = broker
    this.#dataDir = dataDir
  }

  /** Called after each ack: kills once, a third of the way, when records are unanswered. */
  maybeKill(log: AckLog, total: number): void {
    if (this.restarted !== null || log.acked < total / 3 || log.inTheAir === 0) return
    say('SIGKILL', `after ${count(log.acked)} acks, ${count(log.inTheAir)} records unanswered`)
    this.restarted = this.#restart()
    this.restarted.catch(error => {
      log.failure ??= error
    })
  }

  async #restart(): Promise<void> {
    const { address } = this.broker
    await this.broker.kill()
    this.broker = await startBrokerProcess({ dataDir: this.#dataDir, listen: address })
    say('broker 2', `pid ${this.broker.pid}, ready in ${this.broker.startedInMs.toFixed(0)} ms`)
  }
}

function sayFigures(log: AckLog, quakes: Quakes): void {
  const seconds = (log.endMs - log.startMs) / 1000
  const rate = count(Math.round(log.acked / seconds))
  const megabytes = (quakes.sizeBytes / seconds / 1e6).toFixed(0)
  say('produced', `${count(log.acked)} records in ${seconds.toFixed(2)} s, the kill included`)
  say('throughput', `${rate} records/s, ${megabytes} MB/s (acks=all, flush=commit)`)
  const [p50, p99] = [log.percentile(0.5), log.percentile(0.99)]
  say('latency', `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (closed loop, deep queue)`)
  say('gap', `${log.longestGapMs.toFixed(0)} ms without acks at the longest`)
}

/** Answers the number of differences. */
async function tell(dataDir: string, stories: Story[]): Promise<number> {
  const quakes = loadQuakes(passes)
  const keys = new Set(quakes.keys).size
  say('input', `${count(quakes.lines.length)} earthquakes × ${passes} passes, ${keys} keys`)
  const story = new Story(await startBrokerProcess({ dataDir }), dataDir)
  stories.push(story)
  const { pid, url, startedInMs } = story.broker
  say('broker 1', `pid ${pid}, ready in ${startedInMs.toFixed(0)} ms at ${url}`)
  const client = await connect({ servers: url, clientId: 'demo', closeTimeoutMs: 2000 })
  try {
    await client.admin.topics.create({ name: 'quakes', partitions })
    const log = new AckLog(quakes.total)
    await produceQuakes(client, quakes, log, () => story.maybeKill(log, quakes.total))
    if (story.restarted === null) throw new Error('the broker was never killed')
    await story.restarted
    sayFigures(log, quakes)
    const readMs = performance.now()
    const check = await checkQuakes(client, quakes, log)
    const seconds = (performance.now() - readMs) / 1000
    say('consumed', `${count(check.records)} records in ${seconds.toFixed(2)} s, each compared`)
    for (const example of check.examples) say('DIFFERENT', example)
    return check.differences
  } finally {
    await client.close()
  }
}

function sayEnd(differences: number): void {
  if (differences > 0) {
    say('FAILED', `${count(differences)} differences`)
    return
  }
  say('checked', 'each record exactly once; content, order per key and offsets as acked')
  process.stdout.write(`
Next: npx sluice start, and in another terminal:
  npx sluice topic create quakes -p 4 && npx sluice produce quakes bench/data/earthquakes.ndjson
  npx sluice consume quakes -o -1 -e
  npx sluice bench produce -n 1M --size 100B
  npx sluice --help
`)
}

async function main(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-demo-'))
  const stories: Story[] = []
  const interrupted = new Promise<never>((_resolve, reject) => {
    const late = (): void => reject(new Error(`not done after ${deadlineMs / 1000} s`))
    setTimeout(late, deadlineMs).unref()
    process.once('SIGINT', () => reject(new Error('interrupted')))
    process.once('SIGTERM', () => reject(new Error('terminated')))
  })
  try {
    const differences = await Promise.race([tell(dataDir, stories), interrupted])
    sayEnd(differences)
    return differences === 0 ? 0 : 1
  } finally {
    for (const story of stories) {
      await story.restarted?.catch(() => {})
      await story.broker.kill()
    }
    await rm(dataDir, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  say('FAILED', error instanceof Error ? (error.stack ?? error.message) : String(error))
  // what still runs belongs to a story that has failed
  process.exit(1)
}
