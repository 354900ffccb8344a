/**
 * Connection counts: connections that came, those that were refused, and how long peers were held
 * back.
 *
 * Always true: a reason is one of a fixed list, whatever the text says.
 * Bumped by broker/server; read at a scrape.
 */

/** Why a peer did not become a connection. */
export const refusalReasons = [
  'limit',
  'address_limit',
  'origin',
  'host',
  'protocol',
  'not_ready',
  'slow',
  'other',
] as const
export type RefusalReason = (typeof refusalReasons)[number]

/**
 * What peers wait for: `receive` = the broker holds max.receive.bytes of unanswered requests,
 * `output` = the peer does not take its answers.
 */
export type Quota = 'receive' | 'output'

/** Time for which something was so, of any number of things at once. */
export class PausedTime {
  #doneMs = 0
  #active = 0
  /** Sum of the begins of those that go on. */
  #begunMs = 0

  begin(nowMs: number): void {
    this.#active++
    this.#begunMs += nowMs
  }

  /** @param beganMs what `begin` was told. */
  end(beganMs: number, nowMs: number): void {
    this.#active--
    this.#begunMs -= beganMs
    this.#doneMs += nowMs - beganMs
  }

  totalMs(nowMs: number): number {
    return this.#doneMs + this.#active * nowMs - this.#begunMs
  }
}

export class ConnectionCounts {
  opened = 0
  /** Cut off because their memory was needed: half-received messages, answers not taken. */
  dropped = 0
  readonly refused = new Map<RefusalReason, number>()
  readonly throttled: Readonly<Record<Quota, PausedTime>> = {
    receive: new PausedTime(),
    output: new PausedTime(),
  }

  refuse(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }
}
