/**
 * Real world: the machine's own clock, timers, randomness and network behind the interfaces of
 * world.ts.
 *
 * Always true: nothing here holds state between two worlds except a pool of random bytes per world;
 * the monotonic clock never goes back; a `background` timer keeps no finished process alive.
 * Called once by each composition root (SDK connect, broker start); the simulator has its own.
 */
import { openCompression } from './compression/compression.ts'
import { webSocketNetwork } from './transport/websocket.ts'
import type { Clock, Random, Timers, World } from './world.ts'

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

/** Node's timers take no longer delay: it would fire at once. */
const longestDelayMs = 2 ** 31 - 1

export const realTimers: Timers = {
  after(delayMs, run, options) {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), longestDelayMs))
    if (options?.background === true) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  endOfTurn: run => void setImmediate(run),
}

const poolWords = 1024
/** What getRandomValues gives in one call. */
const maxBytesPerCall = 65_536

/** From the operating system's generator, drawn in pools: a call for each number costs too much. */
export function realRandom(): Random {
  const pool = new Uint32Array(poolWords)
  let used = poolWords
  const word = (): number => {
    if (used === poolWords) {
      globalThis.crypto.getRandomValues(pool)
      used = 0
    }
    return pool[used++] as number
  }
  /** `bits` random bits, 1…53, as an integer. */
  const bits = (count: number): number => {
    if (count <= 32) return word() >>> (32 - count)
    return (word() >>> (64 - count)) * 2 ** 32 + word()
  }
  return {
    fraction: () => bits(53) / 2 ** 53,
    bits,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; at += maxBytesPerCall) {
        globalThis.crypto.getRandomValues(bytes.subarray(at, at + maxBytesPerCall))
      }
      return bytes
    },
  }
}

export async function realWorld(): Promise<World> {
  return {
    clock: realClock,
    timers: realTimers,
    random: realRandom(),
    network: webSocketNetwork(realTimers),
    compression: await openCompression(),
  }
}
