/**
 * segment verify: checks segment files and their indexes, and that the segments of a directory join
 * up.
 *
 * Always true: works on files alone and changes nothing; exit 1 if anything is wrong, after all of
 * it was said.
 */
import { type CommandContext, defineCommand } from '../../client/cli/command.ts'
import { CommandFailure, exitCodes } from '../../client/cli/failure.ts'
import { SluiceError } from '../../protocol/errors.ts'
import type { Disk } from '../world/disk.ts'
import { type CheckedLog, checkLog, checkOffsetIndex, checkTimeIndex } from './segment-check.ts'
import { findSegmentFiles, type SegmentFile } from './segment-files.ts'

export interface VerifiedFile {
  readonly file: string
  readonly kind: SegmentFile['kind']
  readonly ok: boolean
  /** Of a log. */
  readonly batches?: number
  readonly records?: number
  readonly endOffset?: number
  readonly sizeBytes?: number
  readonly problems: readonly string[]
  /** Batches whose records this process cannot unpack. */
  readonly unread?: readonly string[]
}

function verifiedLog(checked: CheckedLog, joins: readonly string[]): VerifiedFile {
  const { file, places, records, endOffset, sizeBytes, unread } = checked
  const problems = [...joins, ...checked.problems]
  return {
    file: file.path,
    kind: 'log',
    ok: problems.length === 0,
    batches: places.length,
    records,
    endOffset,
    sizeBytes,
    problems,
    ...(unread.length > 0 && { unread }),
  }
}

const withoutExtension = (path: string): string => path.slice(0, path.lastIndexOf('.'))
const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1)

/** What the segment before this one in the directory says about where it must begin. */
function joinProblems(before: CheckedLog | undefined, file: SegmentFile): string[] {
  if (before === undefined || before.endOffset === file.baseOffset) return []
  if (directoryOf(before.file.path) !== directoryOf(file.path)) return []
  return [`the segment before it ends at offset ${before.endOffset}`]
}

/** An index is compared with its log, also where only the index was named. */
async function verifyIndex(disk: Disk, file: SegmentFile, log: CheckedLog): Promise<VerifiedFile> {
  const check = file.kind === 'index' ? checkOffsetIndex : checkTimeIndex
  const problems = await check(disk, file, log)
  return { file: file.path, kind: file.kind, ok: problems.length === 0, problems }
}

async function verifyFiles(
  disk: Disk,
  files: readonly SegmentFile[],
  context: CommandContext,
): Promise<VerifiedFile[]> {
  const { compression } = context.world
  const logs = new Map<string, CheckedLog>()
  const results: VerifiedFile[] = []
  let before: CheckedLog | undefined
  const ordered = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  for (const file of ordered.filter(f => f.kind === 'log')) {
    if (context.signal.aborted) break
    const checked = await checkLog(disk, file, compression)
    results.push(verifiedLog(checked, joinProblems(before, file)))
    logs.set(withoutExtension(file.path), checked)
    before = checked
  }
  for (const file of ordered.filter(f => f.kind !== 'log')) {
    const name = withoutExtension(file.path)
    const path = `${name}.log`
    const isThere = logs.has(name) || (await disk.stat(path)) !== null
    if (!isThere) {
      const problems = ['there is no log file beside it']
      results.push({ file: file.path, kind: file.kind, ok: false, problems })
      continue
    }
    const log =
      logs.get(name) ?? (await checkLog(disk, { ...file, kind: 'log', path }, compression))
    results.push(await verifyIndex(disk, file, log))
  }
  return results.sort((a, b) => (a.file < b.file ? -1 : 1))
}

export const segmentVerifyCommand = defineCommand({
  usage: 'verify <path..>',
  about: 'Check segment files and their indexes',
  examples: [
    ['$0 segment verify sluice-data/orders-0', 'all segments of a partition'],
    ['$0 segment verify sluice-data', 'all partitions of a broker, best of a stopped one'],
  ],
  positionals: {
    path: { type: 'string', array: true, demandOption: true, describe: 'Files or directories' },
  },
  options: {},
  run: async (context, args) => {
    const { NodeDisk } = await import('../world/node-disk.ts')
    const disk = new NodeDisk()
    const files = await findSegmentFiles(disk, args.path, ['log', 'index', 'timeindex'])
    const results = await verifyFiles(disk, files, context)
    context.output.list(results, {
      columns: [
        { title: 'FILE', cell: result => result.file },
        { title: 'BATCHES', cell: result => result.batches ?? '-' },
        { title: 'RECORDS', cell: result => result.records ?? '-' },
        { title: 'END-OFFSET', cell: result => result.endOffset ?? '-' },
        { title: 'RESULT', cell: result => result.problems[0] ?? 'ok' },
      ],
      name: result => result.file,
    })
    for (const { file, unread } of results) {
      for (const reason of unread ?? []) context.output.say(`${file}: not looked into: ${reason}`)
    }
    const bad = results.filter(result => !result.ok)
    if (bad.length === 0) return undefined
    if (!context.output.isJson) {
      for (const { file, problems } of bad) {
        for (const problem of problems) context.output.say(`${file}: ${problem}`)
      }
    }
    throw new CommandFailure(
      new SluiceError('CORRUPT_MESSAGE', `${bad.length} of ${results.length} files are damaged`, {
        hint: 'a partition that is damaged below its recovery point is quarantined by the broker',
      }),
      exitCodes.unexpected,
    )
  },
})
