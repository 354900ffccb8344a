/**
 * Curve of retained data: a log of x gigabytes: how long the broker takes to start after a clean
 * stop and after SIGKILL, what it holds in memory, and what a read anywhere costs.
 *
 * Always true: one directory grows from point to point; after SIGKILL every acked record is there;
 * the kernel's page cache is warm, as it is after a restart of the process.
 * Played by run.ts.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '../../client/index.ts'
import type { BrokerProcess } from '../demo/broker-process.ts'
import { closedLoop } from '../support/closed-loop.ts'
import { residentBytes } from '../support/process-usage.ts'
import type { CurvePlan, CurveRun, CurveTools, Figures } from './curve.ts'
import { endOf, medianMs } from './ground.ts'

const topicName = 'kept'
const value = Buffer.alloc(8192, 'x')
const gigabyte = 1e9
const partition = 0

class RetainedRun implements CurveRun {
  readonly #tools: CurveTools
  readonly #directory: string
  #records = 0
  #broker: BrokerProcess | null = null

  constructor(tools: CurveTools, directory: string) {
    this.#tools = tools
    this.#directory = directory
  }

  async measure(gigabytes: number): Promise<Figures> {
    await this.#restart()
    await this.#fill(Math.ceil((gigabytes * gigabyte) / value.byteLength))
    await this.#broker?.stop()
    const cleanStartMs = await this.#restart()
    const residentMb = (residentBytes(this.#broker?.pid ?? 0) ?? Number.NaN) / 1e6
    const anywhereMs = await this.#readAnywhere()
    await this.#writeSome()
    await this.#broker?.kill()
    const killedStartMs = await this.#restart()
    await this.#requireAll()
    const indexKb = (await sizeOf(this.#directory, /\.(time)?index$/)) / 1000
    return { cleanStartMs, killedStartMs, residentMb, anywhereMs, indexKb }
  }

  async close(): Promise<void> {
    await this.#broker?.kill()
  }

  /** Milliseconds from spawn to the ready line. */
  async #restart(): Promise<number> {
    await this.#broker?.stop()
    this.#broker = await this.#tools.startBroker(this.#directory, ['--min-free-bytes', '1GiB'])
    return this.#broker.startedInMs
  }

  get #url(): string {
    return this.#broker?.url ?? ''
  }

  /** With flush=os, for the bytes are not what is measured; the stop makes them durable. */
  async #fill(records: number): Promise<void> {
    await using client = await connect({ servers: this.#url })
    if (this.#records === 0) {
      const configs = { 'segment.bytes': '268435456' }
      await client.admin.topics.create({ name: topicName, configs })
    }
    await client.admin.topics.alter(topicName, { flush: 'os' })
    const topic = client.topic(topicName)
    const count = Math.max(0, records - this.#records)
    const endMs = Number.POSITIVE_INFINITY
    const loop = await closedLoop({ window: 1024, count, endMs, send: () => topic.send({ value }) })
    this.#records += loop.answered
    await client.admin.topics.alter(topicName, { flush: 'commit' })
  }

  /** What a kill finds to recover: a second of acked and fsynced records. */
  async #writeSome(): Promise<void> {
    await using client = await connect({ servers: this.#url })
    const topic = client.topic(topicName)
    const endMs = endOf(this.#tools)
    const loop = await closedLoop({ window: 1024, endMs, send: () => topic.send({ value }) })
    this.#records += loop.answered
  }

  async #requireAll(): Promise<void> {
    await using client = await connect({ servers: this.#url })
    const [end] = await client.admin.offsets([{ topic: topicName, partition, at: 'latest' }])
    if (end?.offset === this.#records) return
    throw new Error(`${end?.offset} records after the kill, ${this.#records} were acked`)
  }

  /** From a fresh consumer to its first batch, at offsets all over the log. */
  async #readAnywhere(): Promise<number> {
    await using client = await connect({ servers: this.#url })
    const { ms } = await medianMs(this.#tools, async n => {
      const offset = (n * 7_654_321) % this.#records
      const assign = [{ topic: topicName, partition, start: { offset } }]
      const consumer = client.consumer({ assign })
      for await (const batch of consumer.batches()) {
        if (batch.firstOffset !== offset) throw new Error(`${batch.firstOffset}, not ${offset}`)
        break
      }
      await consumer.close()
    })
    return ms
  }
}

/** Bytes of the files below `directory` whose names match. */
async function sizeOf(directory: string, name: RegExp): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && name.test(entry.name))
  const sizes = await Promise.all(files.map(file => stat(join(file.parentPath, file.name))))
  return sizes.reduce((sum, { size }) => sum + size, 0)
}

export const retainedCurve: CurvePlan = {
  name: 'retained',
  title: 'One partition, more and more retained data',
  x: 'GB',
  points: { full: [1, 2, 5, 10, 20], quick: [0.5, 1, 2, 4], tiny: [0.01, 0.02, 0.04, 0.08] },
  conditions:
    'One partition of 8 KiB records in segments of 256 MiB; page cache warm; the kill comes ' +
    'after a second of fsynced writes.',
  series: [
    {
      key: 'cleanStartMs',
      label: 'Start after a clean stop',
      unit: 'ms',
      good: 'less',
      cause: '',
    },
    { key: 'killedStartMs', label: 'Start after SIGKILL', unit: 'ms', good: 'less', cause: '' },
    {
      key: 'residentMb',
      label: 'Broker memory after the start (resident)',
      unit: 'MB',
      good: 'less',
      cause: '',
    },
    { key: 'indexKb', label: 'Index files', unit: 'kB', good: 'less', cause: '' },
    {
      key: 'anywhereMs',
      label: 'First batch at an offset anywhere',
      unit: 'ms',
      good: 'less',
      cause: '',
    },
  ],
  open: async tools => new RetainedRun(tools, await tools.newDirectory()),
}
