/**
 * Mutate: damage to bytes, blind to what they mean. Who knows the meaning repairs lengths and
 * checksums afterwards, so that the damage gets past the outer checks.
 *
 * Always true: the argument is never changed; the result has at most `maxBytes` bytes.
 * Used by the targets.
 */
import { writeInt32 } from '../../protocol/bytes/integers.ts'
import type { FuzzRandom } from './random.ts'

export const maxBytes = 64 * 1024

type Mutation = (bytes: Uint8Array, random: FuzzRandom, other: Uint8Array) => Uint8Array

const copied = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** `bytes` with [at, at + removed) replaced by `put`. */
export function replaced(
  bytes: Uint8Array,
  at: number,
  removed: number,
  put: Uint8Array,
): Uint8Array {
  const end = Math.min(bytes.length, at + removed)
  const result = new Uint8Array(at + put.length + bytes.length - end)
  result.set(bytes.subarray(0, at))
  result.set(put, at)
  result.set(bytes.subarray(end), at + put.length)
  return result
}

const flipBit: Mutation = (bytes, random) => {
  const result = copied(bytes)
  const at = random.below(bytes.length)
  result[at] = (result[at] ?? 0) ^ (1 << random.below(8))
  return result
}

const setByte: Mutation = (bytes, random) => {
  const result = copied(bytes)
  result[random.below(bytes.length)] = random.oneIn(2) ? random.below(256) : random.edge()
  return result
}

/** Adds or subtracts a little: off by one is where bounds break. */
const nudge: Mutation = (bytes, random) => {
  const result = copied(bytes)
  const at = random.below(bytes.length)
  result[at] = (result[at] ?? 0) + random.between(-4, 4)
  return result
}

/** A 32-bit edge number over whatever is there. */
const setInteger: Mutation = (bytes, random) => {
  if (bytes.length < 4) return setByte(bytes, random, bytes)
  const result = copied(bytes)
  const at = random.below(bytes.length - 3)
  const value = random.edge()
  writeInt32(result, at, value)
  if (random.oneIn(2)) result.subarray(at, at + 4).reverse()
  return result
}

/** An 8-byte edge number in big-endian. */
const setLong: Mutation = (bytes, random) => {
  if (bytes.length < 8) return setByte(bytes, random, bytes)
  const result = copied(bytes)
  const at = random.below(bytes.length - 7)
  const value = random.edge()
  const high = Math.floor(value / 2 ** 32)
  writeInt32(result, at, high)
  writeInt32(result, at + 4, value - high * 2 ** 32)
  return result
}

/** Continuation bits of a varint: the number grows, or ends early. */
const bendVarint: Mutation = (bytes, random) => {
  const result = copied(bytes)
  const at = random.below(bytes.length)
  const until = Math.min(bytes.length, at + random.between(1, 10))
  const grow = random.oneIn(2)
  for (let i = at; i < until; i++) result[i] = grow ? 0xff : (result[i] ?? 0) & 0x7f
  return result
}

const cut: Mutation = (bytes, random) => copied(bytes.subarray(0, random.below(bytes.length)))

const remove: Mutation = (bytes, random) =>
  replaced(bytes, random.below(bytes.length), 1 + random.size(bytes.length + 1), new Uint8Array(0))

const insert: Mutation = (bytes, random) =>
  replaced(bytes, random.below(bytes.length + 1), 0, random.bytes(1 + random.size(32)))

const duplicate: Mutation = (bytes, random) => {
  const from = random.below(bytes.length)
  const piece = bytes.subarray(from, from + 1 + random.size(bytes.length + 1))
  return replaced(bytes, random.below(bytes.length + 1), 0, piece)
}

const blank: Mutation = (bytes, random) => {
  const result = copied(bytes)
  const from = random.below(bytes.length)
  return result.fill(random.oneIn(2) ? 0 : 255, from, from + 1 + random.size(64))
}

/** The head of one input, the tail of another. */
const splice: Mutation = (bytes, random, other) =>
  replaced(bytes, random.below(bytes.length), bytes.length, tailOf(other, random))

const tailOf = (bytes: Uint8Array, random: FuzzRandom): Uint8Array =>
  bytes.subarray(random.below(bytes.length + 1))

const mutations: readonly Mutation[] = [
  ...[flipBit, flipBit, setByte, nudge, setInteger, setLong, bendVarint],
  ...[cut, remove, insert, duplicate, blank, splice],
]

/** One to a few mutations; `other` is what a splice takes from. */
export function mutated(bytes: Uint8Array, random: FuzzRandom, other = bytes): Uint8Array {
  let result = bytes
  for (let times = 1 + random.size(5); times > 0; times--) {
    if (result.length === 0) return random.bytes(random.size(32))
    result = random.pick(mutations)(result, random, other)
  }
  return result.length > maxBytes ? result.subarray(0, maxBytes) : result
}

const mostPieces = 256

/** The bytes in pieces: whole, byte by byte (the first of them), or cut at random places. */
export function inPieces(bytes: Uint8Array, random: FuzzRandom): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const longest = random.oneIn(4) ? 1 : 1 + random.size(bytes.length + 2)
  let at = 0
  while (at < bytes.length && pieces.length < mostPieces) {
    const length = random.oneIn(16) ? 0 : random.between(1, longest)
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at))
  return pieces
}
