/**
 * Tail cache: the newest batches of all logs of a broker in memory, so that reads at the tail touch
 * no disk.
 *
 *   log A  [b1][b2][b3][b4]        log B  [b1][b2]         one budget over both, the oldest go first
 *            evicted ↑  ↑ not written yet: never evicted
 *
 * Always true: the batches of one log are contiguous up to its log end; what is not committed is
 * kept whatever the budget says (`maxUncommittedBytes` bounds it); a small batch is copied out of
 * the message it came in, so that it does not pin the whole of it, and a large one is charged with
 * all that it pins (S16).
 * Called by log.ts; one TailCache per broker, one LogTail per log.
 */
import { upperBound } from './offset-index.ts'

/**
 * Below this a batch is copied if its buffer is larger than itself, and joined with its neighbours
 * on reads.
 */
const smallBytes = 64 * 1024

export interface TailBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly bytes: Uint8Array
}

/**
 * Slots that one call passes over because their batches must stay: bounds the work of an append.
 */
const maxPassedOver = 64

export class TailCache {
  readonly #budgetBytes: number
  #usedBytes = 0
  /**
   * One slot for each batch, in about the order of the appends; which batch it is, the tail knows.
   */
  #slots: LogTail[] = []
  #head = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  openTail(): LogTail {
    return new LogTail(this)
  }

  /** Called by LogTail for each batch that it takes in. */
  charge(tail: LogTail, chargedBytes: number): void {
    this.#slots.push(tail)
    this.#usedBytes += chargedBytes
    this.trim()
  }

  /** Called when something was committed or dropped: more may be evictable now. */
  trim(): void {
    let passedOver = 0
    while (this.#usedBytes > this.#budgetBytes && passedOver < maxPassedOver) {
      const tail = this.#slots[this.#head]
      if (tail === undefined) break
      this.#head++
      const freedBytes = tail.evictOldest()
      this.#usedBytes -= freedBytes
      if (freedBytes > 0) continue
      // To the end with it: a log whose disk hangs must not keep all others from giving memory
      // back.
      this.#slots.push(tail)
      passedOver++
    }
    if (this.#head > 1024 && this.#head > this.#slots.length / 2) {
      this.#slots = this.#slots.slice(this.#head)
      this.#head = 0
    }
  }

  /** Takes `count` batches of a tail, `chargedBytes` together, off the books. */
  forget(tail: LogTail, count: number, chargedBytes: number): void {
    this.#usedBytes -= chargedBytes
    let left = count
    this.#slots = this.#slots.slice(this.#head).filter(slot => slot !== tail || left-- <= 0)
    this.#head = 0
  }
}

interface Kept extends TailBatch {
  readonly chargedBytes: number
  /** Bytes of all batches before it, counted from some batch on. */
  readonly bytesBefore: number
}

/** The cached end of one log. */
export class LogTail {
  readonly #cache: TailCache
  /** Undefined before `#head`: what was evicted must not be held on to. */
  #batches: (Kept | undefined)[] = []
  /** Base offsets beside the batches, for the search. */
  #baseOffsets: number[] = []
  #head = 0
  /** Where the next batch begins, as `bytesBefore` counts. */
  #endBytes = 0
  /** Batches from this offset on must stay. */
  #committedEnd = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  /** First offset that can be read from here; Infinity where nothing is cached. */
  get startOffset(): number {
    return this.#batches[this.#head]?.baseOffset ?? Infinity
  }

  append(batch: TailBatch): TailBatch {
    const { bytes } = batch
    const pinned = bytes.buffer.byteLength
    const copy = bytes.byteLength < smallBytes && pinned > 2 * bytes.byteLength
    const chargedBytes = copy ? bytes.byteLength : pinned
    const { baseOffset, lastOffset, maxTimestamp } = batch
    const own = copy ? bytes.slice() : bytes
    const bytesBefore = this.#endBytes
    const kept = { baseOffset, lastOffset, maxTimestamp, bytes: own, chargedBytes, bytesBefore }
    this.#endBytes += own.byteLength
    this.#batches.push(kept)
    this.#baseOffsets.push(baseOffset)
    this.#cache.charge(this, chargedBytes)
    return kept
  }

  commit(endOffset: number): void {
    this.#committedEnd = endOffset
    this.#cache.trim()
  }

  /** Lets the oldest batch go and answers its charge; 0 where it must stay. Called by TailCache. */
  evictOldest(): number {
    const oldest = this.#batches[this.#head]
    if (oldest === undefined || oldest.lastOffset >= this.#committedEnd) return 0
    this.#batches[this.#head] = undefined
    this.#head++
    if (this.#head > 256 && this.#head > this.#batches.length / 2) this.#compact()
    return oldest.chargedBytes
  }

  #compact(): void {
    this.#batches = this.#batches.slice(this.#head)
    this.#baseOffsets = this.#baseOffsets.slice(this.#head)
    this.#head = 0
  }

  /** Takes off batches at or above `offset`: they were never committed. */
  dropFrom(offset: number): void {
    this.#compact()
    const keep = this.#batches.findIndex(batch => (batch?.lastOffset ?? -1) >= offset)
    if (keep >= 0) this.#truncate(keep)
  }

  clear(): void {
    this.#compact()
    this.#truncate(0)
  }

  #truncate(keep: number): void {
    const gone = this.#batches.slice(keep)
    const chargedBytes = gone.reduce((sum, batch) => sum + (batch?.chargedBytes ?? 0), 0)
    this.#cache.forget(this, gone.length, chargedBytes)
    this.#endBytes = gone[0]?.bytesBefore ?? this.#endBytes
    this.#batches.length = keep
    this.#baseOffsets.length = keep
  }

  /** Index of the batch that holds `offset`; the caller knows that it is cached. */
  #find(offset: number): number {
    return Math.max(this.#head, upperBound(this.#baseOffsets, this.#batches.length, offset) - 1)
  }

  /**
   * Whole batches from the one that holds `offset` up to `endOffset`, at most `maxBytes` (the first
   * always). Large batches come as they are, runs of small ones joined.
   */
  read(offset: number, endOffset: number, maxBytes: number): Uint8Array[] {
    const bodies: Uint8Array[] = []
    let run: Uint8Array[] = []
    let size = 0
    for (let i = this.#find(offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i]
      if (batch === undefined || batch.lastOffset >= endOffset) break
      const { bytes } = batch
      if (size > 0 && size + bytes.byteLength > maxBytes) break
      size += bytes.byteLength
      if (bytes.byteLength < smallBytes) run.push(bytes)
      else {
        flushRun(run, bodies)
        run = []
        bodies.push(bytes)
      }
    }
    flushRun(run, bodies)
    return bodies
  }

  /**
   * Bytes of whole batches from `offset` to `endOffset`, at most `limit`, but the first one whole.
   * Asked by every waiting fetch at every commit, so it must not walk the batches between.
   */
  readableBytes(offset: number, endOffset: number, limit: number): number {
    const first = this.#batches[this.#find(offset)]
    const last = this.#lastBelow(endOffset)
    if (first === undefined || last === undefined || last.baseOffset < first.baseOffset) return 0
    const size = last.bytesBefore + last.bytes.byteLength - first.bytesBefore
    return Math.min(size, Math.max(limit, first.bytes.byteLength))
  }

  /** The last batch that ends below `endOffset`. */
  #lastBelow(endOffset: number): Kept | undefined {
    const begun = upperBound(this.#baseOffsets, this.#batches.length, endOffset - 1)
    const last = this.#batches[begun - 1]
    return last !== undefined && last.lastOffset >= endOffset ? this.#batches[begun - 2] : last
  }
}

function flushRun(run: readonly Uint8Array[], into: Uint8Array[]): void {
  const [first] = run
  if (first === undefined) return
  if (run.length === 1) {
    into.push(first)
    return
  }
  const joined = new Uint8Array(run.reduce((sum, bytes) => sum + bytes.byteLength, 0))
  let at = 0
  for (const bytes of run) {
    joined.set(bytes, at)
    at += bytes.byteLength
  }
  into.push(joined)
}
