/**
 * Throughput rows: how much one client writes and reads, with the SDK included.
 *
 * Always true: every record is verified by the bench command, outside of the measured time; what is
 * read "from disk" was written by a broker that has been restarted since, so that nothing of it is
 * in the tail cache (the system's page cache is left as it is, as for every peer).
 * Used by rows.ts.
 */
import type { BenchReport } from '../../client/cli/bench/report.ts'
import type { Lab } from './lab.ts'
import { atLeast, type Found, type Judged, onlyOne, type Row } from './row.ts'

/** Room for all that a tail row reads; the default of 256 MiB would be read in half a second. */
const wholeTail = ['--tail-cache-bytes', '2GiB']

/**
 * Tens of thousands of promises are in the air: with a young generation of 16 MiB a good part of
 * them is copied twice before its ack comes. What a program that writes as fast as it can would set
 * too; V8 takes it from the command line only.
 */
const manyInTheAir = ['--max-semi-space-size=32']

const judged = (report: BenchReport, judge: (report: BenchReport) => Judged): Found => ({
  ...judge(report),
  reports: [report],
})

/** The disk's own speed counts where it is below the target. */
export function produceLarge(report: BenchReport): Judged {
  const value = report.megabytesPerSecond
  const disk = report.disk?.megabytesPerSecond
  const target = disk === undefined ? 350 : Math.min(350, 0.8 * disk)
  const share = disk === undefined ? '' : `, ${Math.round((100 * value) / disk)} % of the disk`
  return { value, unit: 'MB/s', measured: `${value} MB/s${share}`, isMet: value >= target }
}

async function fill(lab: Lab, size: string, records: string): Promise<void> {
  await lab.bench(['produce', '-n', records, '--size', size, '--keep', '--no-verify'])
}

interface ReadRow {
  readonly name: string
  readonly about: string
  readonly target: string
  readonly size: string
  readonly records: readonly [string, string]
  readonly flags: readonly string[]
  readonly isRestarted: boolean
  readonly judge: (report: BenchReport) => Judged
}

const readRow = (row: ReadRow): Row => ({
  name: row.name,
  about: `${row.about} (broker ${wholeTail.join(' ')})`,
  target: row.target,
  run: async lab => {
    await lab.start(wholeTail)
    await fill(lab, row.size, lab.sized(...row.records))
    if (row.isRestarted) await lab.start(wholeTail)
    return judged(onlyOne(await lab.bench(['consume', ...row.flags])), row.judge)
  },
})

const smallRecords = { size: '100B', records: ['8M', '50k'] } as const

export const throughputRows: readonly Row[] = [
  {
    name: 'produce-100b',
    about: `produce 100-byte records, acks=all, a promise per record (node ${manyInTheAir})`,
    target: '≥ 2,500,000 records/s',
    run: async lab => {
      await lab.start()
      const words = ['produce', '-n', lab.sized('8M', '50k'), '--size', '100B']
      const report = onlyOne(await lab.bench(words, manyInTheAir))
      return judged(report, given => atLeast(given, 2_500_000))
    },
  },
  {
    name: 'produce-1kib',
    about: 'produce 1 KiB records, acks=all',
    target: '≥ 350 MB/s, or 80 % of the disk’s own write+fsync rate if lower',
    run: async lab => {
      await lab.start()
      const words = ['produce', '-n', lab.sized('1.5M', '10k'), '--size', '1KiB']
      return judged(onlyOne(await lab.bench(words)), produceLarge)
    },
  },
  readRow({
    name: 'consume-100b-tail',
    about: 'consume 100-byte records through batches() from the tail cache',
    target: '≥ 4,000,000 records/s',
    ...smallRecords,
    flags: [],
    isRestarted: false,
    judge: report => atLeast(report, 4_000_000),
  }),
  readRow({
    name: 'consume-100b-disk',
    about: 'consume 100-byte records through batches() from disk',
    target: '≥ 3,000,000 records/s',
    ...smallRecords,
    flags: [],
    isRestarted: true,
    judge: report => atLeast(report, 3_000_000),
  }),
  readRow({
    name: 'consume-100b-record',
    about: 'consume 100-byte records one by one with for await',
    target: '≥ 1,800,000 records/s',
    ...smallRecords,
    flags: ['--per-record'],
    isRestarted: false,
    judge: report => atLeast(report, 1_800_000),
  }),
  readRow({
    name: 'consume-1kib',
    about: 'consume 1 KiB records through batches()',
    target: '≥ 800 MB/s',
    size: '1KiB',
    records: ['1.5M', '10k'],
    flags: [],
    isRestarted: false,
    judge: ({ megabytesPerSecond: value }) => ({
      value,
      unit: 'MB/s',
      measured: `${value} MB/s`,
      isMet: value >= 800,
    }),
  }),
]
