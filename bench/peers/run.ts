/**
 * Peers: the same work on Sluice and on other brokers of this machine, in turn, as ratios.
 *
 *   node dist/bench/peers/run.js [--only nats,redis,kafka] [--class page|fsync|both] [--rounds 5]
 *     [--seconds 2] [--kafka host:port] [--nats-server PATH] [--root DIR] [--out DIR] [--record]
 *
 * Always true: servers run on loopback in directories of their own and are gone afterwards, also
 * after Ctrl-C and a closed pipe (support/lane.ts); what cannot be measured is a SKIP with its
 * reason. `--record` writes an entry per class and choice of peers into bench/results/peers.json,
 * `--out` elsewhere; entries of other choices there stay. Exit 0, or 1 where a server failed or
 * lost, doubled or changed a record, 2 for wrong words.
 */
import { parseArgs } from 'node:util'
import { machineNow, resultsDirectory, writeBenchResult } from '../support/bench-result.ts'
import { type DiskFacts, dataParent, diskFacts, requireDisk, showDisk } from '../support/disk.ts'
import { type Lane, runLane } from '../support/lane.ts'
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
      root: { type: 'string' },
      out: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  })
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a number from 1 on')
  if (!(seconds >= 0.1 && seconds <= 600)) throw new Error('--seconds is 0.1 to 600')
  const both: DurabilityClass[] = ['page', 'fsync']
  const classes = both.filter(one => values.class === 'both' || values.class === one)
  if (classes.length === 0) throw new Error('--class is page, fsync or both')
  const { 'nats-server': natsServer, kafka, only, out, record } = values
  const root = dataParent(values.root)
  if (record) requireDisk(root)
  const outs = [...(out === undefined ? [] : [out]), ...(record ? [resultsDirectory] : [])]
  if (natsServer !== undefined) process.env[natsServerVariable] = natsServer
  const peers = choosePeers(only?.split(','), kafka)
  return { peers, classes, rounds, seconds, root, outs }
}

function compareAll(outcome: LaneOutcome, classes: readonly DurabilityClass[]): ComparedRow[] {
  const rows = classes.flatMap(durability =>
    peerWorks.flatMap(({ label }) =>
      figureRows.map(figure => compareFigure(outcome.samples, { durability, work: label }, figure)),
    ),
  )
  return rows.filter(row => row.peers.length > 0)
}

type Words = ReturnType<typeof readWords>

/** What one class found, named by what was compared, so that no other choice replaces it. */
function entryOf(
  words: Words,
  durability: DurabilityClass,
  rows: readonly ComparedRow[],
  all: LaneOutcome,
) {
  const isOfClass = (one: { readonly durability: DurabilityClass }) => one.durability === durability
  const servers = all.servers.filter(isOfClass)
  const skipped = all.skipped.filter(isOfClass)
  const failures = all.failures.filter(text => text.startsWith(`${durability} `))
  const name = `${durability}: ${words.peers.map(peer => peer.name).join(', ')}`
  return { name, servers, skipped, failures, rows: rows.filter(isOfClass) }
}

function write(
  words: Words,
  outcome: LaneOutcome,
  rows: readonly ComparedRow[],
  conditions: { readonly machine: object; readonly disk: DiskFacts; readonly seconds: number },
): string[] {
  const { rounds, seconds: secondsPerRun } = words
  const entries = words.classes.map(durability => entryOf(words, durability, rows, outcome))
  const all = { ...conditions, rounds, secondsPerRun }
  return words.outs.map(out => writeBenchResult(out, 'peers', entries, all))
}

async function main(words: Words, lane: Lane): Promise<number> {
  const machine = machineNow()
  const disk = diskFacts(words.root)
  lane.say(showDisk(disk))
  const outcome: LaneOutcome = { samples: [], servers: [], skipped: [], failures: [] }
  const startMs = performance.now()
  for (const durability of words.classes) {
    await runClass({ ...words, lane }, durability, outcome)
  }
  const rows = compareAll(outcome, words.classes)
  const { rounds } = words
  lane.say(`\nmedian (min–max of ${rounds} rounds); × = how much better Sluice is, of medians\n`)
  for (const line of rows.flatMap(showRow)) lane.say(line)
  const seconds = Math.round((performance.now() - startMs) / 1000)
  const { failures, skipped, samples } = outcome
  const ends = `${skipped.length} skipped, ${failures.length} failed`
  lane.say(`\n${samples.length} runs, every record read back and compared; ${ends}; ${seconds} s`)
  const paths = write(words, outcome, rows, { machine, disk, seconds })
  for (const path of paths) lane.say(`written: ${path}`)
  return failures.length === 0 ? 0 : 1
}

await runLane(readWords, main)
