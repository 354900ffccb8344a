/**
 * JSON body: values that look like the events of a shop, so that compression has something to do.
 *
 * Always true: valid JSON of exactly the length asked for; the stamp stands at its fixed place.
 * Used by payload.ts.
 */
import type { Random } from '../../../protocol/world.ts'
import { jsonOpening, jsonStampEnd } from './stamp.ts'

const names = ['order', 'customer', 'region', 'currency', 'status', 'channel', 'amount', 'item']
const words = ['paid', 'open', 'shipped', 'eu-west', 'us-east', 'web', 'shop', 'EUR', 'USD', 'card']

function member(random: Random): string {
  const name = names[Math.floor(random.fraction() * names.length)] ?? 'item'
  const word = words[Math.floor(random.fraction() * words.length)] ?? 'web'
  return random.fraction() < 0.5
    ? `,"${name}":"${word}"`
    : `,"${name}":${Math.floor(random.fraction() * 1e6)}`
}

/** Fills `bytes`, whose stamp ends in `source`; the rest of the stamp is still zero digits. */
export function fillJson(bytes: Uint8Array, random: Random, source: readonly number[]): void {
  const ending = source.map(byte => byte.toString(16).padStart(2, '0')).join('')
  const zeros = '0'.repeat(jsonStampEnd - jsonOpening.length - ending.length)
  let text = `${jsonOpening}${zeros}${ending}"`
  for (;;) {
    const more = member(random)
    if (text.length + more.length + 1 > bytes.byteLength) break
    text += more
  }
  // JSON allows blanks before the last brace
  bytes.set(new TextEncoder().encode(`${text.padEnd(bytes.byteLength - 1)}}`))
}
