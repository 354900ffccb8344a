/**
 * Told: what must have become of the sockets of an attack, and of how many of them.
 *
 * Always true: a claim about all is held against `count`, so that one that was missed is seen; what
 * says that nobody was served, or cut off, cannot be met by an attack that never began where the
 * case asks for `greeted` or `connected` too.
 * Listed in cases-of-….ts; judged by hostile-run.ts.
 */
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'

export interface Situation {
  /** Of the attack's size. */
  readonly count: number
  /** Of the broker that is attacked. */
  readonly config: BrokerConfigInput
}

export interface Told {
  /** Verdicts by name; those that match are added up. */
  readonly verdict: RegExp
  readonly least: (situation: Situation) => number
  readonly most: (situation: Situation) => number
}

type Amount = (situation: Situation) => number
const everything: Amount = () => Number.POSITIVE_INFINITY

export const some = (verdict: RegExp): Told => ({ verdict, least: () => 1, most: everything })

/** `share` of them at least, from 0 to 1. */
export const many = (share: number, verdict: RegExp): Told => ({
  verdict,
  least: ({ count }) => Math.max(1, Math.floor(share * count)),
  most: everything,
})

export const all = (verdict: RegExp): Told => many(1, verdict)

export const none = (verdict: RegExp): Told => ({ verdict, least: () => 0, most: () => 0 })

/** As many as `amount` says, give or take `slack`. */
export const about = (verdict: RegExp, amount: Amount, slack = 0): Told => ({
  verdict,
  least: situation => amount(situation) - slack,
  most: situation => amount(situation) + slack,
})

/** All said hello and are connected still. */
export const allServed: readonly Told[] = [all(/^greeted$/), all(/^still open$/)]
/** All came in, and none is connected any more. */
export const allDropped: readonly Told[] = [all(/^connected$|^greeted$/), none(/^still open$/)]

/** What does not hold, as sentences. */
export function untold(
  told: readonly Told[],
  verdicts: Readonly<Record<string, number>>,
  situation: Situation,
): string[] {
  return told.flatMap(({ verdict, least, most }) => {
    const seen = Object.entries(verdicts)
      .filter(([name]) => verdict.test(name))
      .reduce((sum, [, count]) => sum + count, 0)
    const [from, to] = [least(situation), most(situation)]
    if (seen >= from && seen <= to) return []
    return [`${verdict} × ${seen}, expected ${from === to ? from : `${from} to ${to}`}`]
  })
}
