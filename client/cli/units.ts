/**
 * Units: counts, sizes and durations as people type them, and as tables show them.
 *
 *   count 50k 1M 2.5M · size 128B 64KiB 1MB (K M G alone = 1024-fold) · duration 250ms 10s 5m 2h 7d
 *
 * Always true: a value that is not understood is refused with the value and the forms that would
 * be.
 * Used by the options of every command.
 */
import { SluiceError } from '../../protocol/errors.ts'

const countFactors: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }
const sizeFactors: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
}
const durationFactors: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86400e3,
}

function refuse(what: string, text: string, hint: string): never {
  throw new SluiceError('INVALID_ARGUMENT', `"${text}" is not a ${what}`, { hint })
}

function scaled(text: string, factors: Readonly<Record<string, number>>): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = factors[(match?.[2] ?? '').toLowerCase()]
  if (match === null || factor === undefined) return null
  const value = Math.round(Number(match[1]) * factor)
  return Number.isSafeInteger(value) ? value : null
}

/** How many: an integer ≥ 0. @throws INVALID_ARGUMENT */
export function parseCount(text: string): number {
  return scaled(text, countFactors) ?? refuse('count', text, 'write it as 500, 50k or 1M')
}

/** Bytes, an integer ≥ 0. @throws INVALID_ARGUMENT */
export function parseSize(text: string): number {
  return scaled(text, sizeFactors) ?? refuse('size', text, 'write it as 128B, 64KiB or 1MiB')
}

/** Milliseconds, an integer ≥ 0; the unit is required. @throws INVALID_ARGUMENT */
export function parseDuration(text: string): number {
  return scaled(text, durationFactors) ?? refuse('duration', text, 'write it as 250ms, 10s or 5m')
}

/** The milliseconds of a duration, or null where `text` is none. */
export const durationMs = (text: string): number | null => scaled(text, durationFactors)

/** A whole number ≥ 0 without any unit. @throws INVALID_ARGUMENT */
export function parseWhole(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) refuse('whole number', text, 'write it as 0, 1, 2, …')
  return value
}

/** `0`, `0,2`, `0-3,8` → sorted, each once. @throws INVALID_ARGUMENT */
export function parsePartitions(texts: readonly string[]): number[] {
  const found = new Set<number>()
  const hint = 'write partitions as 0 or 0,2 or 0-3'
  for (const piece of texts.flatMap(text => text.split(','))) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(piece.trim())
    if (match === null) refuse('list of partitions', piece, hint)
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (last < first) refuse('list of partitions', piece, hint)
    for (let partition = first; partition <= last; partition++) found.add(partition)
  }
  return [...found].sort((a, b) => a - b)
}

/** `1234567` → `1,234,567`; fractions are cut to `digits`. */
export function showNumber(value: number, digits = 0): string {
  const [whole = '', fraction] = value.toFixed(digits).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

/** `1536` → `1.5 KiB`. */
export function showSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** `83000` → `1m 23s`; below a minute `1.2s`. */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 60e3) return `${(ms / 1000).toFixed(1)}s`
  if (ms < 3600e3) return `${Math.floor(ms / 60e3)}m ${Math.floor((ms % 60e3) / 1000)}s`
  return `${Math.floor(ms / 3600e3)}h ${Math.floor((ms % 3600e3) / 60e3)}m`
}
