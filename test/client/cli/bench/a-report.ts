/**
 * A report: one result of a bench, complete, for tests of what is made of results.
 *
 * Always true: a new object each time; no figure in it was measured.
 * Used by documents.test.ts, compare.test.ts and the tests of bench/system.
 */
import type { BenchReport } from '../../../../client/cli/bench/report.ts'

export function aReport(): BenchReport {
  return {
    bench: 'produce',
    topic: 't',
    partitions: 1,
    records: 1000,
    bytes: 100_000,
    seconds: 1,
    recordsPerSecond: 1000,
    megabytesPerSecond: 0.1,
    latencyMs: { p50: 1, p90: 2, p99: 3, p999: 4, p9999: 5, max: 6, mean: 1.5 },
    latencySamples: 1000,
    latencyCurve: [
      [0, 0.5],
      [50, 1],
      [99, 3],
      [100, 6],
    ],
    warmup: { records: 100, seconds: 0.1 },
    series: [true, false, false].map((isWarmup, i) => ({
      atSeconds: 0.2 * (i + 1),
      recordsPerSecond: 1000 + i,
      megabytesPerSecond: 0.1,
      p50: 1,
      p99: 2,
      max: 3,
      isWarmup,
    })),
    loop: 'closed',
    latencyOf: 'send to ack',
    flush: 'commit',
    acks: 'all',
    rate: null,
    sizeBytes: 100,
    ...conditions(),
    ...outcome(),
  }
}

function outcome(): Pick<BenchReport, 'used' | 'verified'> {
  return {
    used: {
      clientCpuSeconds: 0.5,
      clientRssBytes: 1e8,
      brokerCpuSeconds: 0.25,
      brokerRssBytes: 7e7,
    },
    verified: {
      checked: ['crc', 'count', 'stamps'],
      records: 1000,
      expected: 1000,
      missing: 0,
      repeated: 0,
      outOfOrder: 0,
      corrupt: 0,
      firstFault: null,
      isSound: true,
    },
  }
}

function conditions(): Pick<BenchReport, 'date' | 'flags' | 'machine' | 'disk'> {
  return {
    date: '2026-11-01T00:00:00.000Z',
    flags: ['bench', 'produce'],
    machine: {
      sluice: '0.0.0',
      commit: '0123456789abcdef0123456789abcdef01234567',
      node: 'v20.0.0',
      nodeFlags: [],
      platform: 'linux x64',
      kernel: '6.1',
      cpu: 'test',
      cpus: 2,
      memoryBytes: 1024,
    },
    disk: {
      directory: '/data',
      syncP50Ms: 0.2,
      syncP99Ms: 0.4,
      syncs: 500,
      megabytesPerSecond: 500,
      bytes: 1 << 26,
    },
  }
}
