/**
 * SimLinks: the wires between simulated machines: how long a message takes, what is cut, which
 * machine is off.
 *
 * Always true: a wire is one-way, so `a` may hear `b` and not be heard; nothing that reaches a cut
 * wire is lost for good, since TCP sends it again after the cut is healed.
 * Called by sim-channel.ts and sim-network.ts; scenarios cut and heal through sim-network.ts.
 */
import type { Scheduler } from './scheduler.ts'
import type { SimRandom } from './sim-random.ts'

export interface LinkProfile {
  /**
   * A message takes the minimum, an exponentially distributed time of this mean, and its
   * transmission.
   */
  readonly minimumMs: number
  readonly meanMs: number
  readonly bytesPerMs: number
  /** What the two kernels buffer of one direction of a connection. */
  readonly windowBytes: number
}

const localNetwork: LinkProfile = {
  minimumMs: 0.05,
  meanMs: 0.1,
  bytesPerMs: 1_000_000,
  windowBytes: 1024 * 1024,
}

export class SimLinks {
  readonly random: SimRandom
  readonly #scheduler: Scheduler
  readonly #cut = new Set<string>()
  readonly #off = new Set<string>()
  readonly #profiles = new Map<string, LinkProfile>()
  readonly #waiting = new Set<() => void>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
    this.random = scheduler.random.stream('network')
  }

  /** Whether what was sent by `from` reaches `to` now. */
  reaches(from: string, to: string): boolean {
    return !this.#cut.has(wire(from, to)) && !this.#off.has(to)
  }

  isOff(machine: string): boolean {
    return this.#off.has(machine)
  }

  cut(from: string, to: string): void {
    this.#cut.add(wire(from, to))
  }

  heal(from: string, to: string): void {
    this.#cut.delete(wire(from, to))
    this.#retransmit()
  }

  healAll(): void {
    this.#cut.clear()
    this.#retransmit()
  }

  powerOff(machine: string): void {
    this.#off.add(machine)
  }

  powerOn(machine: string): void {
    if (this.#off.delete(machine)) this.#retransmit()
  }

  profile(from: string, to: string): LinkProfile {
    return this.#profiles.get(wire(from, to)) ?? localNetwork
  }

  setProfile(from: string, to: string, change: Partial<LinkProfile>): void {
    this.#profiles.set(wire(from, to), { ...this.profile(from, to), ...change })
  }

  /** How long the next message of this size takes. */
  drawDelay(from: string, to: string, bytes: number): number {
    const { minimumMs, meanMs, bytesPerMs } = this.profile(from, to)
    return minimumMs + this.random.exponential(meanMs) + bytes / bytesPerMs
  }

  /** Calls `retry` once, some time after any wire is healed or machine switched on. */
  whenChanged(retry: () => void): void {
    this.#waiting.add(retry)
  }

  /** TCP backs off: what was cut comes to life at different moments, up to seconds later. */
  #retransmit(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const retry of waiting) {
      const delay = Math.min(3000, this.random.exponential(300))
      this.#scheduler.after(delay, retry, { label: 'network.retransmit' })
    }
  }
}

function wire(from: string, to: string): string {
  return `${from}>${to}`
}
