/**
 * Status feed: what happens to the connections, handed to every loop over client.status().
 *
 * Always true: a slow reader costs at most `maxQueuedEvents` events (the oldest go first); after
 * `close` every loop gets the closed event and ends.
 * Called by broker-link.ts and consumer/ (emit) and client.ts (subscribe, close).
 */
import type { ClientStatus } from '../types/client.ts'

export const maxQueuedEvents = 1000

class Subscription implements AsyncIterator<ClientStatus> {
  readonly #queue: ClientStatus[] = []
  #waiting: ((result: IteratorResult<ClientStatus>) => void)[] = []
  #ended = false
  readonly #onReturn: (subscription: Subscription) => void

  constructor(onReturn: (subscription: Subscription) => void) {
    this.#onReturn = onReturn
  }

  push(event: ClientStatus): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ value: event, done: false })
      return
    }
    if (this.#queue.length === maxQueuedEvents) this.#queue.shift()
    this.#queue.push(event)
  }

  end(): void {
    this.#ended = true
    for (const waiting of this.#waiting) waiting({ value: undefined, done: true })
    this.#waiting = []
  }

  next(): Promise<IteratorResult<ClientStatus>> {
    const value = this.#queue.shift()
    if (value !== undefined) return Promise.resolve({ value, done: false })
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<ClientStatus>> {
    this.end()
    this.#onReturn(this)
    return Promise.resolve({ value: undefined, done: true })
  }
}

export class StatusFeed {
  readonly #subscriptions = new Set<Subscription>()
  #closed = false

  emit(event: ClientStatus): void {
    for (const subscription of this.#subscriptions) subscription.push(event)
  }

  /** Events from now on; the loop ends on close(). */
  subscribe(): AsyncIterable<ClientStatus> {
    const subscription = new Subscription(left => this.#subscriptions.delete(left))
    if (this.#closed) subscription.end()
    else this.#subscriptions.add(subscription)
    return { [Symbol.asyncIterator]: () => subscription }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.emit({ type: 'closed' })
    for (const subscription of this.#subscriptions) subscription.end()
    this.#subscriptions.clear()
  }
}
