/**
 * Message queue: the messages of one connection on their way to being handled: at once while its
 * share of the turn lasts, else one after the other when its turn comes.
 *
 * Always true: messages are handled in the order in which they came; what waits is on the receive
 * budget.
 * Made by session.ts.
 */
import { Share, type Turns, type Worker } from './turns.ts'

export type Message = Uint8Array[]

export interface MessageQueueParts {
  readonly turns: Turns
  /** What waits is on the receive budget; less than 0 gives back. */
  hold(bytes: number): void
  handle(message: Message): void
  /** Messages wait from now on, or none does any more. */
  onChange(): void
}

export class MessageQueue implements Worker {
  readonly share = new Share()
  readonly #parts: MessageQueueParts
  readonly #waiting: Message[] = []

  constructor(parts: MessageQueueParts) {
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(message: Message): void {
    const { turns, hold, handle, onChange } = this.#parts
    if (this.isEmpty && !turns.isUsedUp(this.share)) {
      turns.work(this.share, () => handle(message))
      return
    }
    this.#waiting.push(message)
    hold(sizeOf(message))
    if (this.#waiting.length > 1) return
    turns.enqueue(this)
    onChange()
  }

  workOne(): boolean {
    const message = this.#waiting.shift()
    if (message === undefined) return false
    this.#parts.hold(-sizeOf(message))
    this.#parts.handle(message)
    if (!this.isEmpty) return true
    this.#parts.onChange()
    return false
  }
}

export const sizeOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, part) => sum + part.byteLength, 0)
