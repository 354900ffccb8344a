/**
 * Fakes: a clock that moves when told to, and a connection whose other end is the test.
 *
 * Always true: nothing happens by itself; `sent` holds every frame in order.
 * Used by the request-channel tests.
 */
import type { Test } from 'tap'
import { SluiceError } from '../../../protocol/errors.ts'
import { decodeFrame, encodeFrame, type Frame, type FrameHeader } from '../../../protocol/frame.ts'
import { RequestChannel } from '../../../protocol/transport/request-channel.ts'
import type {
  ChannelClosed,
  RequestChannelOptions,
} from '../../../protocol/transport/request-options.ts'
import type {
  Clock,
  Connection,
  ConnectionEvents,
  TimerHandle,
  Timers,
} from '../../../protocol/world.ts'

interface Due {
  atMs: number
  run: () => void
}

export class ManualTime implements Clock, Timers {
  nowMs = 1000
  readonly due = new Set<Due>()
  /** How often a timer was set. */
  timersSet = 0

  wallMs(): number {
    return Math.trunc(this.nowMs)
  }
  monotonicMs(): number {
    return this.nowMs
  }
  after(delayMs: number, run: () => void): TimerHandle {
    const due = { atMs: this.nowMs + delayMs, run }
    this.due.add(due)
    this.timersSet++
    return { cancel: () => this.due.delete(due) }
  }
  endOfTurn(run: () => void): void {
    this.after(0, run)
  }

  /** Moves the clock, running what falls due in order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const next = [...this.due].sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.due.delete(next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
    }
    this.nowMs = untilMs
  }
}

export class FakeConnection implements Connection {
  readonly peer = 'broker:9290'
  bufferedBytes = 0
  receivingBytes = 0
  takenBytes = 0
  readonly sent: Frame[] = []
  readonly flushes: (() => void)[] = []
  readonly closes: { code: number; reason: string }[] = []
  terminated = 0
  events: ConnectionEvents | null = null

  send(parts: readonly Uint8Array[], onFlushed?: () => void): void {
    this.sent.push(decodeFrame(parts, 1_000_000))
    if (onFlushed !== undefined) this.flushes.push(onFlushed)
  }
  pause(): void {}
  resume(): void {}
  close(code: number, reason: string): void {
    this.closes.push({ code, reason })
  }
  flush(): void {}

  terminate(): void {
    this.terminated++
  }

  /** The broker says something. */
  receive(header: FrameHeader, bodies: readonly Uint8Array[] = []): void {
    this.events?.onMessage(encodeFrame(header, bodies))
  }
  /** The id of the `index`th frame sent. */
  id(index: number): number {
    return this.sent[index]?.header.id as number
  }
}

export const produceHeader = (partition = 0) => ({
  acks: 'all' as const,
  timeoutMs: 1000,
  partitions: [{ topic: 'quakes', topicId: 'AAAA', partition }],
})
export const fetchHeader = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 1000,
  isolation: 'uncommitted' as const,
  partitions: [],
}
export const produced = { partitions: [{ partition: 0, topicId: 'AAAA', baseOffset: 7 }] }
export const patient = { timeoutMs: 30_000 }

export function makeChannel(options: Partial<RequestChannelOptions> = {}) {
  const time = new ManualTime()
  const connection = new FakeConnection()
  const closes: ChannelClosed[] = []
  const channel = new RequestChannel(connection, {
    clock: time,
    timers: time,
    maxInFlight: 4,
    maxQueued: 2,
    maxHeaderBytes: 10_000,
    onClose: closed => closes.push(closed),
    ...options,
  })
  connection.events = channel
  return { time, connection, channel, closes }
}

/** The SluiceError that `promise` rejects with. */
export async function failure(t: Test, promise: Promise<unknown>): Promise<SluiceError> {
  const error = await promise.then(
    () => t.fail('must reject'),
    (error: unknown) => error,
  )
  t.ok(SluiceError.is(error), String(error))
  return error as SluiceError
}
