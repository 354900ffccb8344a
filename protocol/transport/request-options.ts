/**
 * Request options: what a channel is told when it is made and with each request, and what it gives
 * back.
 *
 * Always true: every wait has a limit here: requests in flight, requests that queue, time, header
 * bytes.
 * Implemented by request-channel.ts; filled in by client/ and replica fetchers.
 */
import type { FrameHeader } from '../frame.ts'
import type { ApiName, Apis } from '../messages/apis.ts'
import type { ResponseOf } from '../messages/define.ts'
import type { Clock, Timers } from '../world.ts'

export interface RequestChannelOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** Requests sent and unanswered; more wait here. */
  readonly maxInFlight: number
  /** Requests that may wait; one more is refused with TOO_MANY_REQUESTS. */
  readonly maxQueued: number
  /** Largest header of an answer. */
  readonly maxHeaderBytes: number
  /** A message that answers nothing, as of a server that speaks up by itself. */
  onPush?(header: FrameHeader, bodies: Uint8Array[]): void
  /** Exactly once, after every request has settled. */
  onClose?(closed: ChannelClosed): void
}

export interface ChannelClosed {
  readonly code: number
  readonly reason: string
  readonly error?: Error
}

export interface RequestOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Whether the request may change something; by default known from the api. */
  readonly isWrite?: boolean
}

export interface Answer<N extends ApiName> {
  readonly response: ResponseOf<Apis[N]>
  readonly bodies: Uint8Array[]
}
