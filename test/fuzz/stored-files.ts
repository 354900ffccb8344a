/**
 * Stored files: well-formed small files of every kind, as the broker writes them, and the repair of
 * their checksum after damage.
 *
 * Always true: each is what the real writer wrote.
 * Used by the target of stored files.
 */
import { crc32c } from '../../protocol/bytes/crc32c.ts'
import { documentOf, type JsonDocument } from './json-text.ts'

const segmentFacts = {
  baseOffset: 0,
  endOffset: 40,
  sizeBytes: 4096,
  maxTimestamp: 1700,
  offsetOfMaxTimestamp: 12,
  bytesSinceIndexEntry: 96,
  createdAtMs: 1_700_000_000_000,
}
const topic = {
  name: 'orders',
  topicId: 'SU3tKVSzX3-91IAOcQpa4w',
  partitions: 2,
  configs: { flush: 'os' },
  createdAtMs: 1_700_000_000_000,
}
const recovery = { offset: 40, segmentBase: 40, position: 100 }
const place = { topicId: topic.topicId, partition: 0, logStartOffset: 0, recovery, flush: 'commit' }

/** Kind of each checked file, and values of it. */
export const checkedValues: readonly (readonly [kind: string, ...values: unknown[]])[] = [
  ['format', { writtenBy: 'sluice' }],
  [
    'catalogue',
    { clusterId: 'c', brokerId: 1, revision: 3, topics: [topic], tombstones: [] },
    {
      clusterId: 'c',
      brokerId: 1,
      revision: 9,
      topics: [],
      tombstones: [{ name: 'old', topicId: 'x', deletedAtMs: 5 }],
    },
  ],
  [
    'logs',
    { id: 'a1', logs: [{ ...place, active: null, snapshotOffset: null }] },
    {
      id: 'b2',
      logs: [{ ...place, active: { ...segmentFacts, sealedAtMs: null }, snapshotOffset: 40 }],
    },
  ],
  ['clean', { checkpoint: 'a1' }],
  ['segments', [{ ...segmentFacts, sealedAtMs: 1_700_000_000_500 }]],
  [
    'producers',
    [
      [7, [[0, 0, 4, 0, 4]]],
      [9, []],
    ],
    [],
  ],
  ['transactions', { aborted: [[7, 0, 5]], open: [[9, 2, 6]] }],
]

export interface CheckedSample {
  readonly kind: string
  readonly document: JsonDocument
}

export const checkedSamples: readonly CheckedSample[] = checkedValues.flatMap(([kind, ...values]) =>
  values.map(value => ({ kind, document: documentOf(value) })),
)

const encoder = new TextEncoder()

/** `body` under a head line whose checksum is right. */
export function checkedFile(kind: string, body: string, version = 1): Uint8Array {
  const bytes = encoder.encode(body)
  const checksum = crc32c(bytes).toString(16).padStart(8, '0')
  const head = encoder.encode(`sluice ${kind} ${version} crc32c=${checksum}\n`)
  return Buffer.concat([head, bytes, Uint8Array.of(10)])
}

export const epochTexts: readonly string[] = [
  '0\n2\n0 0\n3 1200\n',
  '0\n0\n',
  '0\n1\n2147483646 0\n',
  '0\n3\n0 0\n1 5\n2 9007199254740991\n',
]
export const metadataTexts: readonly string[] = [
  'version: 0\ntopic_id: DU5v4co3S0K2ALk665RULA\n',
  'version: 0\n',
]
