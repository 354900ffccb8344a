/**
 * Run: `npm run bench`: measures the one-broker rows of DESIGN §12 on this machine and says which
 * targets are met.
 *
 *   npm run bench -- [--quick] [--only name,…] [--repeat n] [--dir DIR] [--out DIR]
 *
 * Always true: each row has a broker and a directory of its own, on a disk, and both are gone
 * afterwards; the exit code is 0 when every row was measured and verified, 1 when one failed, 2
 * when the words are wrong; whether a target was met is shown, not judged. A quick run proves that
 * everything works and writes nothing unless --out says where. Ctrl-C and a closed pipe leave no
 * server and no directory behind (support/lane.ts).
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Lane, runLane } from './support/lane.ts'
import { machineFacts, repositoryRoot, treeFacts } from './support/provenance.ts'
import { Lab } from './system/lab.ts'
import { type Facts, type SummaryRow, summaryRow, writeRow } from './system/results.ts'
import type { Outcome, Row } from './system/row.ts'
import { rows } from './system/rows.ts'

interface Words {
  readonly quick: boolean
  readonly rows: readonly Row[]
  readonly repeat: number
  readonly dir: string | undefined
  /** null = nothing is written. */
  readonly out: string | null
}

function readWords(): Words {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      repeat: { type: 'string', default: '1' },
      dir: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const names = values.only?.split(',') ?? rows.map(row => row.name)
  const chosen = names.map(name => {
    const row = rows.find(one => one.name === name)
    if (row !== undefined) return row
    throw new Error(`no row "${name}"; there are ${rows.map(one => one.name).join(', ')}`)
  })
  const repeat = Number(values.repeat)
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error('--repeat must be 1 or more')
  const standard = values.quick ? null : join(repositoryRoot, 'bench', 'results')
  const { quick, dir, out = standard } = values
  return { quick, rows: chosen, repeat, dir, out }
}

function factsOf(quick: boolean): Facts {
  const { node, cpu, cpus, kernel } = machineFacts()
  return { date: new Date().toISOString(), ...treeFacts(), node, cpu, cpus, kernel, quick }
}

async function runRow(row: Row, words: Words, lane: Lane): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let i = 0; i < words.repeat; i++) {
    const lab = await Lab.open({ quick: words.quick, directory: words.dir, lane })
    try {
      const found = await row.run(lab)
      outcomes.push({ ...found, brokerFlags: lab.brokerFlags })
    } finally {
      await lab.close()
    }
  }
  return outcomes
}

function line({ name, target, measured, isMet }: SummaryRow): string {
  const verdict = isMet === null ? 'quick ' : isMet ? 'met   ' : 'MISSED'
  return `${verdict}  ${name.padEnd(20)} ${measured.padEnd(60)} target ${target}`
}

async function main(words: Words, lane: Lane): Promise<number> {
  let failed = 0
  for (const row of words.rows) {
    try {
      const outcomes = await runRow(row, words, lane)
      const summary = summaryRow(row, outcomes, factsOf(words.quick))
      const order = rows.map(one => one.name)
      if (words.out !== null) await writeRow(words.out, order, summary, outcomes)
      lane.say(line(summary))
    } catch (error) {
      lane.signal.throwIfAborted()
      failed++
      lane.say(`FAILED  ${row.name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  if (words.out !== null) lane.say(`written to ${words.out}`)
  lane.say(`${words.rows.length - failed} rows measured and verified, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

await runLane(readWords, main)
