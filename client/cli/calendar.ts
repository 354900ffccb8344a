/**
 * Calendar: points in time as people type them, and as tables show them, always in UTC.
 *
 *   2026-11-01 · 2026-11-01T08:30Z · 2026-11-01T08:30:00.250+01:00 · 1790000000 (s) · 1790000000000 (ms) · -1h
 *
 * Always true: pure arithmetic on the proleptic Gregorian calendar; "now" is given by the caller.
 * Used by the offset grammar, print formats and tables.
 */
import { durationMs } from './units.ts'

const dayMs = 86_400_000

/** Days since 1970-01-01; years are counted from March so that the leap day comes last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const leaps =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365)
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch + (monthFromMarch < 10 ? 3 : -9)
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

const timePattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?([Zz]|[+-]\d{2}:\d{2})?$/

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone.startsWith('-') ? -minutes : minutes) * 60e3
}

function parseCivil(text: string): number | null {
  const match = timePattern.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(part => Number(part ?? 0))
  if (hour > 23 || minute > 59 || second > 59) return null
  const days = daysFromCivil(year, month, day)
  const back = civilFromDays(days)
  if (back.month !== month || back.day !== day) return null
  const fraction = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000)
  const clock = ((hour * 60 + minute) * 60 + second) * 1000 + fraction
  return Math.max(0, days * dayMs + clock - zoneMs(match[8]))
}

/** Milliseconds since 1970, at least 0; null where `text` is no point in time. */
export function parseTime(text: string, nowMs: number): number | null {
  if (text === 'now') return nowMs
  if (/^\d{13}$/.test(text)) return Number(text)
  if (/^\d{9,10}$/.test(text)) return Number(text) * 1000
  if (text.startsWith('-')) {
    const back = durationMs(text.slice(1))
    return back === null ? null : Math.max(0, nowMs - back)
  }
  return parseCivil(text)
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** `2026-11-01T08:30:00.250Z`; a dash for the missing timestamp −1. */
export function showTime(ms: number): string {
  if (ms < 0) return '-'
  const days = Math.floor(ms / dayMs)
  const rest = ms - days * dayMs
  const { year, month, day } = civilFromDays(days)
  const clock = [rest / 3600e3, (rest / 60e3) % 60, (rest / 1000) % 60].map(n => pad(Math.floor(n)))
  const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`
  return `${date}T${clock.join(':')}.${pad(rest % 1000, 3)}Z`
}
