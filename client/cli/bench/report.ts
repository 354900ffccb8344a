/**
 * Bench report: what a bench says at its end, with everything that a figure needs to mean
 * something.
 *
 * Always true: the JSON shape is API; machine, disk, Node, commit, flush and acks stand beside
 * every figure; a closed loop is named as one, because its latencies leave out what a stall kept
 * from being sent.
 * Made by the bench commands, shown and saved by result-files.ts, read again by run and compare.
 */
import { showNumber, showSize } from '../units.ts'
import type { Conditions, Used } from './conditions.ts'
import type { LatencyMs } from './latencies.ts'
import type { Measured } from './meter.ts'
import { type Verified, verifiedText } from './stamp-check.ts'

export type BenchName = 'produce' | 'consume' | 'e2e' | 'connections'

/** How the payload was made, and what that cost. */
export interface GeneratorCost {
  readonly nsPerRecord: number
  /** Of the measured time, 0 to 1. */
  readonly share: number
}

export interface BenchReport extends Measured, Conditions {
  readonly bench: BenchName
  /** Given by a suite. */
  readonly name?: string
  readonly topic: string
  readonly partitions: number
  /** closed = the next record waits for an earlier ack; open = sent at its intended time. */
  readonly loop: 'open' | 'closed'
  readonly latencyOf: string
  readonly flush: string
  readonly acks?: string
  /** Asked for, records per second; null in a closed loop. */
  readonly rate: number | null
  readonly used: Used
  /** null where nothing was checked. */
  readonly verified: Verified | null
  readonly generator?: GeneratorCost
  /** Records that were due and never sent, because the load was behind for too long. */
  readonly unsent?: number
  readonly reached?: string
  readonly sizeBytes?: number
  readonly clients?: number
  readonly producers?: number
  readonly window?: number
  readonly burst?: number
  readonly batchBytes?: number
  readonly compression?: string
  /** How consume took them: batch or record. */
  readonly by?: 'batch' | 'record'
  readonly from?: string
  /** False where the records carry no stamps, because no bench wrote them; nobody looked: none. */
  readonly areStamped?: boolean
  /** Credit of one fetch, and what a consumer's buffer holds. */
  readonly fetchBytes?: number
  readonly bufferBytes?: number
  readonly checkCrc?: boolean
  readonly connections?: ConnectionFigures
}

/** What only bench connections has. */
export interface ConnectionFigures {
  readonly count: number
  readonly active: number
  readonly openMs: LatencyMs
  readonly openedPerSecond: number
  readonly brokerBytesPerConnection: number | null
  readonly clientBytesPerConnection: number
  /** The same load when the idle connections were closed again. */
  readonly aloneMs: LatencyMs
}

function latencyText(latency: LatencyMs): string {
  const names = ['p50', 'p90', 'p99', 'p999', 'p9999', 'max', 'mean'] as const
  return names.map(name => `${name} ${latency[name]}`).join('  ')
}

const loopText = {
  open: 'open loop: counted from the intended send time',
  closed: 'closed loop: stalls hide what was not sent meanwhile; give --rate for an open loop',
} as const

function unsentLines({ unsent = 0, rate }: BenchReport): string[] {
  if (unsent === 0) return []
  const asked = showNumber(rate ?? 0)
  return [
    `         fell behind ${asked} records/s: ${showNumber(unsent)} that were due were never sent`,
  ]
}

/** Above this the bench measures itself. */
const mostGeneratorShare = 0.05

function generatorLines({ generator }: BenchReport): string[] {
  if (generator === undefined || generator.share <= mostGeneratorShare) return []
  const share = Math.round(100 * generator.share)
  return [
    `         making the records took ${share} % of a core: the bench may be what is measured`,
  ]
}

const partitionCount = (n: number): string => (n === 1 ? '1 partition' : `${n} partitions`)

/** Reading has no intended time, so nothing is said of loops there. */
const loopLines = ({ bench, loop }: BenchReport): string[] =>
  bench === 'consume' ? [] : [`         ${loopText[loop]}`]

function connectionLines({ connections }: BenchReport): string[] {
  if (connections === undefined) return []
  const { count, openMs, openedPerSecond, aloneMs } = connections
  const { brokerBytesPerConnection: broker, clientBytesPerConnection: client } = connections
  const memory = broker === null ? 'broker not here' : `broker ${showSize(broker)}`
  return [
    `opened   ${showNumber(count)} connections, ${showNumber(openedPerSecond)}/s`,
    `         each in ${latencyText(openMs)} ms`,
    `memory   per connection: ${memory}, this client ${showSize(client)}`,
    `alone    ${latencyText(aloneMs)} ms  (the same load after they were closed)`,
  ]
}

function usedText({ used, seconds }: BenchReport): string {
  const share = (cpu: number): string =>
    seconds > 0 ? ` (${(cpu / seconds).toFixed(2)} cores)` : ''
  const { clientCpuSeconds: client, brokerCpuSeconds: broker } = used
  const other = broker === null ? 'broker not known' : `broker ${broker} s${share(broker)}`
  return `CPU      client ${client} s${share(client)}, ${other}`
}

function diskText({ disk }: BenchReport): string {
  if (disk === null) return 'disk     not measured; name its directory with --disk'
  const { syncP50Ms, syncP99Ms, megabytesPerSecond } = disk
  const small = `4 KiB write+fdatasync p50 ${syncP50Ms} ms, p99 ${syncP99Ms} ms`
  return `disk     ${small}; 1 MiB durable ${megabytesPerSecond} MB/s`
}

function machineText({ machine, date }: BenchReport): string {
  const { cpu, cpus, kernel, node, sluice, commit } = machine
  const built = commit === null ? '' : ` (${commit.slice(0, 10)})`
  const versions = `kernel ${kernel}, node ${node}, sluice ${sluice}${built}`
  return `machine  ${cpu}, ${cpus} cores, ${versions}, ${date}`
}

function verifiedLines({ verified, areStamped }: BenchReport): string[] {
  const line = verified === null ? 'nothing' : verifiedText(verified, showNumber)
  if (areStamped !== false) return [`verified ${line}`]
  return [`verified ${line}`, '         no record carries the stamp of a bench']
}

export function reportText(report: BenchReport): string {
  const { records, seconds, recordsPerSecond, megabytesPerSecond, bytes, name } = report
  const acks = report.acks === undefined ? '' : `acks=${report.acks}, `
  const title = name === undefined ? '' : `${name}: `
  const amount = `${showNumber(records)} records, ${showSize(bytes)}`
  const sampled = `${report.latencyOf}, ${report.latencySamples} samples`
  const lines = [
    `${title}${report.bench} ${report.topic}: ${amount}, ${seconds} s`,
    `rate     ${showNumber(recordsPerSecond)} records/s  ${showNumber(megabytesPerSecond, 1)} MB/s`,
    `latency  ${latencyText(report.latencyMs)} ms  (${sampled})`,
    ...loopLines(report),
    ...unsentLines(report),
    ...generatorLines(report),
    ...connectionLines(report),
    ...verifiedLines(report),
    `with     ${acks}flush=${report.flush}, ${partitionCount(report.partitions)}`,
    usedText(report),
    diskText(report),
    machineText(report),
  ]
  return `${lines.join('\n')}\n`
}
