/**
 * Fake request: what the fake broker gets and gives, and how tests step in between.
 * Used by fake-broker.ts, fake-fetch.ts and the tests' scripts.
 */
import type { FrameHeader } from '../../protocol/frame.ts'
import type { ApiName } from '../../protocol/messages/apis.ts'
import type { PipeEnd } from './manual-world.ts'

/** One partition of a request of any api. */
export interface FakeEntry {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
  readonly lastEpoch?: number
  readonly at: string
  readonly timestamp?: number
  readonly before: number
}
/** The fields of all requests; each api was checked to have its own. */
export interface FakeHeader {
  readonly id: number
  readonly acks?: string
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly partitions: readonly FakeEntry[]
  readonly topics?: readonly (string | { name: string; partitions?: number })[]
}
export interface FakeRequest {
  readonly api: ApiName
  readonly header: FakeHeader
  readonly bodies: Uint8Array[]
  readonly end: PipeEnd
}
export interface FakeAnswer {
  header: FrameHeader
  bodies?: Uint8Array[]
}
/**
 * Answers a request in the broker's place; undefined = no answer. `proceed` lets the broker do its
 * work.
 */
export type Script = (
  request: FakeRequest,
  proceed: () => Promise<FakeAnswer>,
) => Promise<FakeAnswer | undefined> | FakeAnswer | undefined
