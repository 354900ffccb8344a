/**
 * Zstd fixtures: what the reference tool (zstd 1.5.4) made of known bytes, in all the ways in which
 * it packs: levels, without content size, as a stream, with and without checksum, several frames.
 *
 *   test/fixtures/zstd/<kind of bytes>-<way>.zst
 *
 * Always true: the bytes of each kind are made here, the same each time.
 * Used by the tests of zstd.ts and by the fuzz lane, as inputs.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './repository.ts'

const words = ['quake', 'depth', 'magnitude', ' km, ', '"time":', '0.5', '12', '\n', 'é']

function noise(length: number): Uint8Array {
  let state = length
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
}

const text = (length: number): Uint8Array => {
  const picks = noise(length)
  const joined = Array.from(picks, pick => words[pick % words.length]).join('')
  return new TextEncoder().encode(joined).subarray(0, length)
}

const kinds: Readonly<Record<string, () => Uint8Array>> = {
  empty: () => new Uint8Array(0),
  zeros: () => new Uint8Array(200_000),
  text: () => text(6000),
  // Two blocks, the second with tables and offsets of the first.
  long: () => Uint8Array.from([...text(90_000), ...text(60_000)]),
  noise: () => noise(2000),
  skewed: () => noise(3000).map(byte => (byte < 200 ? 7 : byte < 240 ? 8 : byte)),
  mixed: () => Uint8Array.from([...text(900), ...noise(500), ...text(900), ...new Uint8Array(500)]),
}

export interface ZstdFixture {
  readonly name: string
  readonly packed: Uint8Array
  readonly plain: Uint8Array
}

const folder = join(root, 'test', 'fixtures', 'zstd')

export function zstdKinds(): [name: string, plain: Uint8Array][] {
  return Object.entries(kinds).map(([name, make]) => [name, make()])
}

export function zstdFixtures(): ZstdFixture[] {
  const plains = new Map(zstdKinds())
  return readdirSync(folder)
    .filter(name => name.endsWith('.zst'))
    .sort()
    .map(name => ({
      name,
      packed: new Uint8Array(readFileSync(join(folder, name))),
      plain: plains.get(name.split('-')[0] ?? '') ?? new Uint8Array(0),
    }))
}
