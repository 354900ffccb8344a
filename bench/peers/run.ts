/**
 * Peers: the same work on Sluice and on other brokers of this machine, in turn, as ratios.
 *
 *   node dist/bench/peers/run.js [--only nats,redis,kafka] [--class page|fsync|both] [--rounds 5]
 *     [--seconds 2] [--kafka host:port] [--nats-server PATH] [--root DIR] [--record]
 *
 * Always true: servers run on loopback in directories of their own and are gone afterwards; what
 * cannot be measured is a SKIP with its reason. Exit 0, or 1 where a server failed or lost, doubled
 * or changed a record, 2 for wrong words.
 */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { machineNow, writeBenchResult } from '../support/bench-result.ts'
import { type ComparedRow, compareFigure, type FigureRow, showRow } from './comparison.ts'
import { type LaneOutcome, peerWorks, runClass } from './lane.ts'
import type { DurabilityClass } from './peer.ts'
import { choosePeers, natsServerVariable } from './peers.ts'

const rate = { unit: 'records/s', good: 'more' } as const
const latency = { unit: 'ms', good: 'less' } as const
const cpu = { unit: 'CPU-s/M', good: 'less' } as const
const figureRows: readonly FigureRow[] = [
  { key: 'produceRate', label: 'produce', ...rate },
  { key: 'produceServerCpu', label: 'produce, server CPU', ...cpu },
  { key: 'produceClientCpu', label: 'produce, client CPU', ...cpu },
  { key: 'consumeRate', label: 'consume', ...rate },
  { key: 'consumeServerCpu', label: 'consume, server CPU', ...cpu },
  { key: 'consumeClientCpu', label: 'consume, client CPU', ...cpu },
  { key: 'singleP50', label: 'one awaited send, p50', ...latency },
  { key: 'singleP99', label: 'one awaited send, p99', ...latency },
  { key: 'pacedP50', label: '10,000/s end to end, p50', ...latency },
  { key: 'pacedP99', label: '10,000/s end to end, p99', ...latency },
  { key: 'pacedServerCpu', label: '10,000/s, server CPU', ...cpu },
]

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** @throws Error with what is wrong about the words */
function readWords() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      class: { type: 'string', default: 'both' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      kafka: { type: 'string' },
      'nats-server': { type: 'string' },
      root: { type: 'string', default: tmpdir() },
      record: { type: 'boolean', default: false },
    },
  })
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a number from 1 on')
  if (!(seconds >= 0.1 && seconds <= 600)) throw new Error('--seconds is 0.1 to 600')
  const both: DurabilityClass[] = ['page', 'fsync']
  const classes = both.filter(one => values.class === 'both' || values.class === one)
  if (classes.length === 0) throw new Error('--class is page, fsync or both')
  const { 'nats-server': natsServer, kafka, only, root, record } = values
  if (natsServer !== undefined) process.env[natsServerVariable] = natsServer
  const peers = choosePeers(only?.split(','), kafka)
  return { peers, classes, rounds, seconds, root, record }
}

function compareAll(outcome: LaneOutcome, classes: readonly DurabilityClass[]): ComparedRow[] {
  const rows = classes.flatMap(durability =>
    peerWorks.flatMap(({ label }) =>
      figureRows.map(figure => compareFigure(outcome.samples, { durability, work: label }, figure)),
    ),
  )
  return rows.filter(row => row.peers.length > 0)
}

async function main(words: ReturnType<typeof readWords>): Promise<number> {
  const machine = machineNow()
  const outcome: LaneOutcome = { samples: [], servers: [], skipped: [], failures: [] }
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new Error(`ended by ${signal}`)))
  }
  const startMs = performance.now()
  for (const durability of words.classes) {
    await runClass({ ...words, signal: stopping.signal, say }, durability, outcome)
  }
  const rows = compareAll(outcome, words.classes)
  say(`\nmedian (min–max of ${words.rounds} rounds); × = how much better Sluice is, of medians\n`)
  for (const line of rows.flatMap(showRow)) say(line)
  const seconds = Math.round((performance.now() - startMs) / 1000)
  const checked = outcome.samples.length
  const { failures, skipped } = outcome
  const ends = `${skipped.length} skipped, ${failures.length} failed`
  say(`\n${checked} runs, every record checked; ${ends}; ${seconds} s`)
  if (words.record) {
    const { samples: _, ...kept } = outcome
    const facts = { rounds: words.rounds, secondsPerRun: words.seconds, seconds, ...kept, rows }
    say(`written: ${writeBenchResult('peers', machine, facts)}`)
  }
  return failures.length === 0 ? 0 : 1
}

try {
  const words = readWords()
  process.exitCode = await main(words).catch(error => {
    process.stderr.write(`FAILED  ${error instanceof Error ? error.message : error}\n`)
    return 1
  })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
