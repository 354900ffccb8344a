/**
 * Turns: how long one connection's messages may be worked on before others have their turn. A
 * single read of a socket may hold a thousand requests, and each may cost milliseconds.
 *
 *   message → share of this turn used up? ──no──> worked on at once
 *                      └─yes──> queue, one for all connections, in rotation, a share each
 *
 * Always true: messages of one connection keep their order; a connection with nothing queued is
 * worked on at once, whatever the others have queued; between two turns the event loop sees to
 * every socket.
 * Used by session.ts; one per broker.
 */
import type { BrokerWorld } from '../world/world.ts'

/** Of one connection in one turn, and before the next one's turn comes among those that wait. */
const shareMs = 1
/** Of all queued messages together in one turn. */
const queueMs = 8

/** What a connection has used of its share, and how its next queued message is worked on. */
export interface Worker {
  readonly share: Share
  /** False where none is left. */
  workOne(): boolean
}

export class Share {
  turn = -1
  usedMs = 0
}

export class Turns {
  readonly #world: Pick<BrokerWorld, 'clock' | 'timers'>
  readonly #queue: Worker[] = []
  #turn = 0
  #isPlanned = false

  constructor(world: Pick<BrokerWorld, 'clock' | 'timers'>) {
    this.#world = world
  }

  /** Whether nothing more of the connection is to be worked on in this turn. */
  isUsedUp({ turn, usedMs }: Share): boolean {
    return turn === this.#turn && usedMs >= shareMs
  }

  /** Works now, on the connection's share. */
  work(share: Share, work: () => void): void {
    if (share.turn !== this.#turn) {
      share.turn = this.#turn
      share.usedMs = 0
    }
    const { clock } = this.#world
    const startMs = clock.monotonicMs()
    work()
    share.usedMs += clock.monotonicMs() - startMs
    this.#plan()
  }

  /** `worker` has messages from now on; it is asked until it has none. */
  enqueue(worker: Worker): void {
    this.#queue.push(worker)
    this.#plan()
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#world.timers.endOfTurn(() => this.#nextTurn())
  }

  #nextTurn(): void {
    this.#isPlanned = false
    this.#turn++
    const { clock } = this.#world
    const endMs = clock.monotonicMs() + queueMs
    while (clock.monotonicMs() < endMs) {
      const worker = this.#queue.shift()
      if (worker === undefined) return
      if (this.#workShare(worker, clock.monotonicMs() + shareMs)) this.#queue.push(worker)
    }
    if (this.#queue.length > 0) this.#plan()
  }

  /** Whether something is left. */
  #workShare(worker: Worker, endMs: number): boolean {
    const { clock } = this.#world
    let isLeft = true
    while (isLeft && clock.monotonicMs() < endMs) {
      this.work(worker.share, () => {
        isLeft = worker.workOne()
      })
    }
    return isLeft
  }
}
