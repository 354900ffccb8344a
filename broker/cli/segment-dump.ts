/**
 * segment dump: what stands in segment files: one line per batch with the values that Kafka's dump
 * tool shows, or one per record; the entries of index files.
 *
 * Always true: works on files alone and changes nothing; damaged batches are shown with isvalid
 * false.
 */

import { type CommandContext, defineCommand } from '../../client/cli/command.ts'
import { CommandFailure, exitCodes } from '../../client/cli/failure.ts'
import { recordToJson } from '../../client/cli/record-json.ts'
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { type BatchHeader, checkBatch } from '../../protocol/records/batch-header.ts'
import { readControlRecord } from '../../protocol/records/control-record.ts'
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import type { Compression } from '../../protocol/world.ts'
import type { Disk } from '../world/disk.ts'
import {
  findSegmentFiles,
  readOffsetIndex,
  readTimeIndex,
  type ScannedBatch,
  type SegmentFile,
  scanLog,
} from './segment-files.ts'
import { type DumpedBatch, DumpOutput } from './segment-views.ts'

/** Sequences wrap around at 2^31, as Kafka's do. */
function lastSequence(header: BatchHeader): number {
  if (header.baseSequence < 0) return header.baseSequence
  return (header.baseSequence + header.lastOffsetDelta) % 2 ** 31
}

function isValid(batch: Uint8Array): boolean {
  try {
    checkBatch(batch)
    return true
  } catch {
    return false
  }
}

export function dumpBatch({ batch, header, position }: ScannedBatch): DumpedBatch {
  const time = header.maxTimestamp
  return {
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    count: header.recordCount,
    baseSequence: header.baseSequence,
    lastSequence: lastSequence(header),
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    partitionLeaderEpoch: header.leaderEpoch,
    isTransactional: header.isTransactional,
    isControl: header.isControl,
    position,
    ...(header.timestampType === 'append' ? { logAppendTime: time } : { createTime: time }),
    size: header.sizeBytes,
    magic: header.magic,
    compresscodec: header.codec,
    crc: header.crc,
    isvalid: isValid(batch),
  }
}

/** The records of a batch as consume prints them; markers with what they say. */
function dumpRecords({ batch, header }: ScannedBatch, compression: Compression): object[] {
  const cursor = new RecordCursor(batch, header, compression)
  const records: object[] = []
  while (cursor.next()) {
    const record = cursor.record()
    const { offset, timestamp } = record
    records.push(
      header.isControl
        ? { offset, timestamp, control: readControlRecord(record.key, record.value) }
        : recordToJson(record, { headers: false, metaOnly: false }),
    )
  }
  return records
}

async function dumpRecordsOf(
  disk: Disk,
  file: SegmentFile,
  context: CommandContext,
): Promise<string | null> {
  const { terminal, world, signal } = context
  let problem: string | null = null
  const end = await scanLog(disk, file.path, async scanned => {
    if (signal.aborted) return
    try {
      const lines = dumpRecords(scanned, world.compression).map(r => `${JSON.stringify(r)}\n`)
      terminal.write(lines.join(''))
    } catch (error) {
      problem ??= `position ${scanned.position}: ${asSluiceError(error).message}`
    }
    await terminal.drained()
  })
  return problem ?? end.problem
}

/** Shows one file; answers what is wrong with it. */
async function dumpFile(disk: Disk, file: SegmentFile, shown: DumpOutput): Promise<string | null> {
  const { path, kind } = file
  if (kind === 'index') {
    const { entries } = await readOffsetIndex(disk, file)
    shown.add({ file: path, kind, entries })
    return null
  }
  if (kind === 'timeindex') {
    const { entries } = await readTimeIndex(disk, file)
    shown.add({ file: path, kind, entries })
    return null
  }
  const batches: DumpedBatch[] = []
  const end = await scanLog(disk, path, scanned => {
    batches.push(dumpBatch(scanned))
  })
  shown.add({ file: path, kind, batches })
  const bad = batches.find(batch => !batch.isvalid)
  return bad === undefined ? end.problem : `the batch at position ${bad.position} is not valid`
}

export const segmentDumpCommand = defineCommand({
  usage: 'dump <path..>',
  about: 'Show the batches or records of segment files, the entries of index files',
  examples: [
    ['$0 segment dump sluice-data/orders-0', 'the batches of a partition'],
    ['$0 segment dump 00000000000000000000.log --records', 'its records, a JSON line each'],
    ['$0 segment dump 00000000000000000000.timeindex -j', 'an index'],
  ],
  positionals: {
    path: { type: 'string', array: true, demandOption: true, describe: 'Files or directories' },
  },
  options: {
    records: { type: 'boolean', describe: 'Records instead of batches' },
    indexes: { type: 'boolean', describe: 'The index files of directories too' },
  },
  run: async (context, args) => {
    const { NodeDisk } = await import('../world/node-disk.ts')
    const disk = new NodeDisk()
    const kinds =
      args.indexes === true ? (['log', 'index', 'timeindex'] as const) : ['log' as const]
    const files = await findSegmentFiles(disk, args.path, kinds)
    const shown = new DumpOutput(context.terminal, context.output)
    const problems: string[] = []
    for (const file of files) {
      const problem =
        args.records === true && file.kind === 'log'
          ? await dumpRecordsOf(disk, file, context)
          : await dumpFile(disk, file, shown)
      if (problem !== null) problems.push(`${file.path}: ${problem}`)
    }
    if (args.records !== true) shown.end()
    const [first] = problems
    if (first === undefined) return undefined
    throw new CommandFailure(
      new SluiceError('CORRUPT_MESSAGE', first, { hint: 'sluice segment verify says more' }),
      exitCodes.unexpected,
    )
  },
})
