/**
 * Receive budget: bytes of requests that were received and are not answered yet, over all
 * connections (S16).
 *
 *   crowded: 7/8 of the limit    whoever holds much is not read from
 *   full: the limit              nobody is
 *   roomy: half of it            everybody is again
 *
 * Always true: `heldBytes` is the sum of what was charged and not released; a reader is paused at
 * most once at a time by this budget. So a few who flood the broker wait for each other, and not
 * the others for them.
 * Charged by session.ts; one per broker.
 */
export interface Pausable {
  pauseForMemory(): void
  resumeFromMemory(): void
}

const crowdedShare = 7 / 8
const roomyShare = 1 / 2
/** Part of the limit that one reader may hold and be spared. */
const spareShare = 1 / 64

interface Account {
  heldBytes: number
  isPaused: boolean
}

export class ReceiveBudget {
  readonly #maxBytes: number
  readonly #onCrowded: (isCrowded: boolean) => void
  readonly #accounts = new Map<Pausable, Account>()
  #heldBytes = 0
  #isCrowded = false
  #isFull = false

  /** `onCrowded` ends requests that only wait, so that nobody is kept from reading by them. */
  constructor(maxBytes: number, onCrowded: (isCrowded: boolean) => void) {
    this.#maxBytes = maxBytes
    this.#onCrowded = onCrowded
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  join(reader: Pausable): void {
    const account = { heldBytes: 0, isPaused: false }
    this.#accounts.set(reader, account)
    if (this.#isFull) pause(reader, account)
  }

  /** What it holds stays held until it is released. */
  leave(reader: Pausable): void {
    this.#accounts.delete(reader)
  }

  charge(reader: Pausable, bytes: number): void {
    this.#heldBytes += bytes
    const account = this.#accounts.get(reader)
    if (account !== undefined) account.heldBytes += bytes
    if (this.#heldBytes <= this.#maxBytes * crowdedShare) return
    if (!this.#isCrowded) this.#beCrowded()
    else if (account !== undefined && this.#isHeavy(account)) pause(reader, account)
    if (this.#isFull || this.#heldBytes <= this.#maxBytes) return
    this.#isFull = true
    for (const [one, its] of this.#accounts) pause(one, its)
  }

  release(reader: Pausable, bytes: number): void {
    this.#heldBytes -= bytes
    const account = this.#accounts.get(reader)
    if (account !== undefined) account.heldBytes -= bytes
    if (!this.#isCrowded || this.#heldBytes > this.#maxBytes * roomyShare) return
    this.#isCrowded = false
    this.#isFull = false
    this.#onCrowded(false)
    for (const [one, its] of this.#accounts) resume(one, its)
  }

  #beCrowded(): void {
    this.#isCrowded = true
    for (const [reader, account] of this.#accounts) {
      if (this.#isHeavy(account)) pause(reader, account)
    }
    this.#onCrowded(true)
  }

  #isHeavy({ heldBytes }: Account): boolean {
    return heldBytes > this.#maxBytes * spareShare
  }
}

function pause(reader: Pausable, account: Account): void {
  if (account.isPaused) return
  account.isPaused = true
  reader.pauseForMemory()
}

function resume(reader: Pausable, account: Account): void {
  if (!account.isPaused) return
  account.isPaused = false
  reader.resumeFromMemory()
}
