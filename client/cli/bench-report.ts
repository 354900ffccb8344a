/**
 * Bench report: what a bench says at its end, with everything that a figure needs to mean
 * something.
 *
 * Always true: the JSON shape is API; machine, Node, version, flush and acks stand beside every
 * figure; a closed loop is named as one, because its latencies leave out what a stall kept from
 * being sent.
 * Used by bench produce and bench consume.
 */
import type { LatencyMs, Measured } from './bench-meter.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'
import { showNumber, showSize } from './units.ts'

export interface BenchReport extends Measured {
  readonly bench: 'produce' | 'consume'
  readonly topic: string
  readonly partitions: number
  /** closed = the next record waits for an earlier ack; open = sent at its intended time. */
  readonly loop: 'open' | 'closed'
  readonly latencyOf: string
  readonly flush: string
  readonly acks?: string
  readonly flags: readonly string[]
  readonly machine: object
}

/** Node, Sluice and the hardware, as they stand in every report. */
export function machineOf(terminal: Terminal): object {
  const { node, platform, cpu, cpus, memoryBytes } = terminal.machine()
  return { sluice: terminal.version(), node, platform, cpu, cpus, memoryBytes }
}

function latencyText(latency: LatencyMs): string {
  const names = ['p50', 'p90', 'p99', 'p999', 'max', 'mean'] as const
  return names.map(name => `${name} ${latency[name]}`).join('  ')
}

const loopText = {
  open: 'open loop: counted from the intended send time',
  closed: 'closed loop: stalls hide what was not sent meanwhile; give --rate for an open loop',
} as const

const partitionCount = (n: number): string => (n === 1 ? '1 partition' : `${n} partitions`)

/** Reading has no intended time, so nothing is said of loops there. */
function loopLines({ bench, loop }: BenchReport): string[] {
  return bench === 'produce' ? [`         ${loopText[loop]}`] : []
}

export function showReport(output: Output, report: BenchReport): void {
  const { records, seconds, recordsPerSecond, megabytesPerSecond, bytes } = report
  const acks = report.acks === undefined ? '' : `acks=${report.acks}, `
  const text = [
    `${report.bench} ${report.topic}: ${showNumber(records)} records, ${showSize(bytes)}, ${seconds} s`,
    `rate     ${showNumber(recordsPerSecond)} records/s  ${showNumber(megabytesPerSecond, 1)} MB/s`,
    `latency  ${latencyText(report.latencyMs)} ms  (${report.latencyOf}, ${report.latencySamples} samples)`,
    ...loopLines(report),
    `with     ${acks}flush=${report.flush}, ${partitionCount(report.partitions)}`,
  ]
  output.item(report, text.join('\n'), String(recordsPerSecond))
}
