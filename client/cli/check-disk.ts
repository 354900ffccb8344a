/**
 * check disk: free space where a broker keeps its logs, and how long its fsyncs take.
 *
 * Always true: a broker that refuses writes for lack of space is CRITICAL whatever the thresholds;
 * fsync times are those of the last one to two minutes, and nothing is said of them where there
 * were none.
 */
import type { DiskState } from '../../protocol/messages/logs.ts'
import {
  type Checked,
  compare,
  type Figure,
  type Finding,
  requireOrder,
  runCheck,
} from './check.ts'
import { defineCommand } from './command.ts'
import { usageError } from './failure.ts'
import { parseDuration, parseSize, showSize } from './units.ts'

/** A share of the file system, or bytes. */
type Amount = { readonly percent: number } | { readonly bytes: number }

export function parseAmount(text: string): Amount {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim())?.[1]
  if (percent === undefined) return { bytes: parseSize(text) }
  if (Number(percent) > 100) throw usageError(`"${text}" is more than all of it`)
  return { percent: Number(percent) }
}

const bytesOf = (amount: Amount, totalBytes: number | undefined): number | undefined => {
  if ('bytes' in amount) return amount.bytes
  return totalBytes === undefined ? undefined : (totalBytes * amount.percent) / 100
}

interface Limits {
  readonly free: { readonly warn: Amount; readonly critical: Amount }
  readonly fsync: { readonly warn: number; readonly critical: number }
}

function checkSpace(disk: DiskState, { free }: Limits): { findings: Finding[]; figures: Figure[] } {
  const { freeBytes, totalBytes, minFreeBytes, full } = disk
  const warn = bytesOf(free.warn, totalBytes)
  const critical = bytesOf(free.critical, totalBytes)
  requireOrder('free space', { warn, critical }, 'below')
  const value = freeBytes ?? null
  const figures: Figure[] = [{ name: 'free', value, unit: 'B', warn, critical, max: totalBytes }]
  if (full) {
    const text = `writes are refused: less than ${showSize(minFreeBytes)} (min.free.bytes) is free`
    return { findings: [{ status: 'CRITICAL', text }], figures }
  }
  if (freeBytes === undefined || warn === undefined || critical === undefined) {
    const unknown = freeBytes === undefined ? 'free space' : 'the size of the file system'
    return { findings: [{ status: 'UNKNOWN', text: `${unknown} is not known` }], figures }
  }
  const text = `${freeText(disk)}, min.free.bytes is ${showSize(minFreeBytes)}`
  return { findings: compare(freeBytes, { warn, critical }, 'below', text), figures }
}

function freeText({ freeBytes = 0, totalBytes }: DiskState): string {
  if (totalBytes === undefined || totalBytes === 0) return `${showSize(freeBytes)} free`
  return `${showSize(freeBytes)} free (${Math.floor((100 * freeBytes) / totalBytes)} %)`
}

export function checkDisk(disk: DiskState, subject: string, limits: Limits): Checked {
  const space = checkSpace(disk, limits)
  const { fsyncs, fsyncP50Ms, fsyncP99Ms, fsyncMaxMs } = disk
  const worstMs = fsyncs === 0 ? fsyncMaxMs : fsyncP99Ms
  const isKnown = fsyncs > 0 || fsyncMaxMs > 0
  const text = isKnown ? `fsync p99 ${worstMs.toFixed(1)} ms` : 'no fsync lately'
  const known = (value: number): number | null => (isKnown ? value : null)
  return {
    subject,
    summary: `${freeText(disk)}, ${text}`,
    findings: [...space.findings, ...compare(worstMs, limits.fsync, 'above', text)],
    figures: [
      ...space.figures,
      { name: 'fsync_p50', value: known(fsyncP50Ms), unit: 'ms' },
      { name: 'fsync_p99', value: known(worstMs), unit: 'ms', ...limits.fsync },
      { name: 'fsync_max', value: known(fsyncMaxMs), unit: 'ms' },
      { name: 'fsyncs', value: fsyncs, unit: '' },
    ],
  }
}

export const checkDiskCommand = defineCommand({
  usage: 'disk',
  about: 'Check free space and fsync times of a broker',
  examples: [
    ['$0 check disk', 'WARNING below 20 % free, CRITICAL below 10 %'],
    ['$0 check disk --warn 50GiB --critical 10GiB --fsync-warn 20ms', 'thresholds of your own'],
  ],
  positionals: {},
  options: {
    warn: {
      type: 'string',
      coerce: parseAmount,
      default: '20%',
      describe: 'WARNING below this much free space: 50GiB, 20%',
    },
    critical: {
      type: 'string',
      coerce: parseAmount,
      default: '10%',
      describe: 'CRITICAL below this much free space',
    },
    'fsync-warn': {
      type: 'string',
      coerce: parseDuration,
      default: '100ms',
      describe: 'WARNING where 1 fsync of 100 takes longer',
    },
    'fsync-critical': {
      type: 'string',
      coerce: parseDuration,
      default: '1s',
      describe: 'CRITICAL where 1 fsync of 100 takes longer',
    },
  },
  run: async (context, args) => {
    const fsync = { warn: Number(args['fsync-warn']), critical: Number(args['fsync-critical']) }
    requireOrder('fsync', fsync, 'above')
    const free = { warn: amountOf(args.warn), critical: amountOf(args.critical) }
    return runCheck(context, `disk ${context.servers.join(',')}`, async client => {
      const { address, disk } = await client.admin.describeBroker({ signal: context.signal })
      const subject = `disk ${address}`
      if (disk !== undefined) return checkDisk(disk, subject, { free, fsync })
      const text = 'this broker is too old to tell of its disk'
      return { subject, summary: '', findings: [{ status: 'UNKNOWN', text }], figures: [] }
    })
  },
})

/** What `coerce` made of it, which the types of yargs do not show. */
const amountOf = (value: unknown): Amount => value as Amount
