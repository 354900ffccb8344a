/**
 * Latency rows: one awaited send, the way from sender to reader at a fixed rate, and what idle
 * connections cost.
 *
 * Always true: the awaited send is judged by the disk's own sync time in the same run; the open
 * loop counts from the intended send time.
 * Used by rows.ts.
 */
import { rounded } from '../../client/cli/bench/latencies.ts'
import type { BenchReport } from '../../client/cli/bench/report.ts'
import { type Judged, onlyOne, type Row } from './row.ts'

/** All of them come from one address, whose limit is lower. */
const manyConnections = ['--max-connections-per-address', '10000']

/** One sync of this disk and 0.15 ms; and a tail that is no longer than three medians. */
export function awaitedSend({ latencyMs, disk }: BenchReport): Judged {
  const { p50, p99 } = latencyMs
  const sync = disk?.syncP50Ms ?? 0
  const isMet = p50 <= rounded(sync + 0.15, 3) && p99 <= rounded(3 * p50, 3)
  const measured = `p50 ${p50} ms (disk ${sync} ms), p99 ${p99} ms`
  return { value: p50, unit: 'ms', measured, isMet }
}

export function endToEnd({ latencyMs: { p50, p99 }, unsent = 0 }: BenchReport): Judged {
  const isMet = p50 <= 1 && p99 <= 3 && unsent === 0
  return { value: p99, unit: 'ms', measured: `p50 ${p50} ms, p99 ${p99} ms`, isMet }
}

export function perConnection({ connections, latencyMs }: BenchReport): Judged {
  const bytes = connections?.brokerBytesPerConnection ?? Number.NaN
  const value = Math.round(bytes / 100) / 10
  const beside = `p99 of a load ${connections?.aloneMs.p99} ms alone, ${latencyMs.p99} ms beside`
  return { value, unit: 'KB', measured: `${value} KB; ${beside}`, isMet: value <= 40 }
}

export const latencyRows: readonly Row[] = [
  {
    name: 'awaited-send',
    about: 'one awaited send of 100 bytes at a time',
    target: '≤ 1 fsync + 0.15 ms, p99 ≤ 3 × median',
    run: async lab => {
      await lab.start()
      const words = ['produce', '--window', '1', '-n', lab.sized('20k', '200'), '--size', '100B']
      const report = onlyOne(await lab.bench(words))
      return { ...awaitedSend(report), reports: [report] }
    },
  },
  {
    name: 'e2e-10k',
    about: 'end to end, open loop 10,000 records/s of 100 bytes',
    target: 'p50 ≤ 1 ms, p99 ≤ 3 ms',
    run: async lab => {
      await lab.start()
      const duration = lab.sized('60s', '1s')
      const words = ['e2e', '--rate', '10k', '--duration', duration, '--size', '100B']
      const report = onlyOne(await lab.bench(words))
      return { ...endToEnd(report), reports: [report] }
    },
  },
  {
    name: 'idle-connections',
    about: `what an idle connection costs the broker (broker ${manyConnections.join(' ')})`,
    target: '≤ 40 KB RSS',
    run: async lab => {
      await lab.start(manyConnections)
      const load = ['--duration', lab.sized('10s', '1s'), '--active', '4']
      const words = ['connections', '-n', lab.sized('5k', '50'), ...load]
      const report = onlyOne(await lab.bench(words))
      return { ...perConnection(report), reports: [report] }
    },
  },
]
