/**
 * Segment views: how dumped files look: a table per file, one JSON document of all files, or a line
 * per entry.
 *
 * Always true: the JSON shapes are API; names and values of a batch are those of Kafka's dump tool.
 * Used by segment dump.
 */
import type { Output } from '../../client/cli/output.ts'
import { type Column, renderTable } from '../../client/cli/table.ts'
import type { Terminal } from '../../client/cli/terminal.ts'
import type { OffsetIndexEntry, TimeIndexEntry } from './segment-files.ts'

export interface DumpedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly partitionLeaderEpoch: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly position: number
  /** The batch's highest timestamp; `logAppendTime` instead where the log assigns timestamps. */
  readonly createTime?: number
  readonly logAppendTime?: number
  readonly size: number
  readonly magic: number
  readonly compresscodec: string
  readonly crc: number
  readonly isvalid: boolean
}

export type DumpedFile =
  | { readonly file: string; readonly kind: 'log'; readonly batches: readonly DumpedBatch[] }
  | { readonly file: string; readonly kind: 'index'; readonly entries: readonly OffsetIndexEntry[] }
  | {
      readonly file: string
      readonly kind: 'timeindex'
      readonly entries: readonly TimeIndexEntry[]
    }

const batchColumns: readonly Column<DumpedBatch>[] = [
  { title: 'BASE-OFFSET', cell: b => b.baseOffset },
  { title: 'LAST-OFFSET', cell: b => b.lastOffset },
  { title: 'COUNT', cell: b => b.count },
  { title: 'POSITION', cell: b => b.position },
  { title: 'SIZE', cell: b => b.size },
  { title: 'TIME', cell: b => b.createTime ?? b.logAppendTime ?? -1 },
  { title: 'PRODUCER', cell: b => b.producerId, wide: true },
  { title: 'EPOCH', cell: b => b.producerEpoch, wide: true },
  { title: 'FIRST-SEQ', cell: b => b.baseSequence, wide: true },
  { title: 'LAST-SEQ', cell: b => b.lastSequence, wide: true },
  { title: 'LEADER-EPOCH', cell: b => b.partitionLeaderEpoch, wide: true },
  { title: 'CRC', cell: b => b.crc, wide: true },
  { title: 'CODEC', cell: b => b.compresscodec },
  { title: 'KIND', cell: b => kindOf(b) },
  { title: 'VALID', cell: b => (b.isvalid ? 'yes' : 'NO') },
]

function kindOf(batch: DumpedBatch): string {
  if (batch.isControl) return 'control'
  return batch.isTransactional ? 'transactional' : 'data'
}

function tableOf(dumped: DumpedFile, wide: boolean): string {
  if (dumped.kind === 'log') return renderTable(dumped.batches, batchColumns, wide)
  if (dumped.kind === 'index') {
    return renderTable(dumped.entries, [
      { title: 'OFFSET', cell: entry => entry.offset },
      { title: 'POSITION', cell: entry => entry.position },
    ])
  }
  return renderTable(dumped.entries, [
    { title: 'TIMESTAMP', cell: entry => entry.timestamp },
    { title: 'OFFSET', cell: entry => entry.offset },
  ])
}

/** Shows files one after the other; with JSON all of them at the end, as one document. */
export class DumpOutput {
  readonly #terminal: Terminal
  readonly #output: Output
  readonly #files: DumpedFile[] = []

  constructor(terminal: Terminal, output: Output) {
    this.#terminal = terminal
    this.#output = output
  }

  add(dumped: DumpedFile): void {
    const { form } = this.#output
    if (form === 'json') this.#files.push(dumped)
    else if (form === 'name') this.#terminal.write(`${dumped.file}\n`)
    else if (form === 'jsonl') {
      const { file } = dumped
      for (const entry of dumped.kind === 'log' ? dumped.batches : dumped.entries) {
        this.#terminal.write(`${JSON.stringify({ file, ...entry })}\n`)
      }
    } else this.#terminal.write(`${dumped.file}\n${tableOf(dumped, form === 'wide')}`)
  }

  end(): void {
    if (this.#output.form !== 'json') return
    this.#output.list(this.#files, { columns: [], name: dumped => dumped.file })
  }
}
