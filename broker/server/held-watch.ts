/**
 * Held watch: memory that connections hold and that nobody can ask them to give back, over all of
 * them (S16): messages that are half received, and answers that are not being read. Above the limit
 * connections are dropped.
 *
 * Always true: who stands still goes first, then who holds most; nobody is dropped below the limit,
 * except who stands still while more than `stalledAboveBytes` is held; who is excused is not blamed
 * for standing still.
 * Made by sessions.ts, one for each kind of memory.
 */
import type { TimerHandle } from '../../protocol/world.ts'
import type { Deadlines } from './deadlines.ts'

/** What one connection holds, at a glance. */
export interface Sight {
  readonly bytes: number
  /** Any number that changes as long as the connection gets on with it. */
  readonly progress: number
  /** It stands still because the broker makes it. */
  readonly isExcused: boolean
}

export interface Holder {
  drop(reason: string): void
}

export interface WatchOptions<H extends Holder> {
  readonly maxBytes: number
  /** Above it those who stand still are dropped already. Default `maxBytes`. */
  readonly stalledAboveBytes?: number
  /** Looks without progress that make one who stands still. */
  readonly patienceLooks: number
  /** Told to who is dropped. */
  readonly reason: string
  sight(holder: H): Sight
  /** What all hold, where that is less than the sum: memory that several share. */
  total?(): number
}

const lookIntervalMs = 250

interface Seen {
  bytes: number
  progress: number
  stillLooks: number
}

export class HeldWatch<H extends Holder> {
  readonly #options: WatchOptions<H>
  readonly #deadlines: Deadlines
  readonly #seen = new Map<H, Seen>()
  #sumBytes = 0
  #timer: TimerHandle | null = null

  constructor(options: WatchOptions<H>, deadlines: Deadlines) {
    this.#options = options
    this.#deadlines = deadlines
  }

  join(holder: H): void {
    this.#seen.set(holder, { bytes: 0, progress: 0, stillLooks: 0 })
    this.#timer ??= this.#deadlines.after(lookIntervalMs, () => this.#look())
  }

  leave(holder: H): void {
    this.#sumBytes -= this.#seen.get(holder)?.bytes ?? 0
    this.#seen.delete(holder)
  }

  /** What the holder holds has grown by much: not to be left until the next look. */
  grown(holder: H): void {
    const seen = this.#seen.get(holder)
    if (seen === undefined) return
    const { bytes } = this.#options.sight(holder)
    this.#sumBytes += bytes - seen.bytes
    seen.bytes = bytes
    if (this.#totalBytes > this.#options.maxBytes) this.#drop()
  }

  get #totalBytes(): number {
    return this.#options.total?.() ?? this.#sumBytes
  }

  #look(): void {
    for (const [holder, seen] of this.#seen) {
      const { bytes, progress, isExcused } = this.#options.sight(holder)
      const stands = bytes > 0 && progress === seen.progress && !isExcused
      seen.stillLooks = stands ? seen.stillLooks + 1 : 0
      seen.progress = progress
      this.#sumBytes += bytes - seen.bytes
      seen.bytes = bytes
    }
    this.#drop()
    const isIdle = this.#seen.size === 0
    this.#timer = isIdle ? null : this.#deadlines.after(lookIntervalMs, () => this.#look())
  }

  #isStalled({ stillLooks }: Seen): boolean {
    return stillLooks >= this.#options.patienceLooks
  }

  /** Comes down to half of the limit: of all above it, of those who stand still before that. */
  #drop(): void {
    const { maxBytes, stalledAboveBytes = maxBytes, reason } = this.#options
    let left = this.#totalBytes
    if (left <= stalledAboveBytes) return
    const ofAll = left > maxBytes
    const worstFirst = [...this.#seen]
      .filter(([, seen]) => seen.bytes > 0 && (ofAll || this.#isStalled(seen)))
      .sort(
        ([, a], [, b]) =>
          Number(this.#isStalled(b)) - Number(this.#isStalled(a)) || b.bytes - a.bytes,
      )
    for (const [holder, { bytes }] of worstFirst) {
      if (left <= maxBytes / 2) break
      left -= bytes
      holder.drop(reason)
    }
  }
}
