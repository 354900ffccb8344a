/**
 * Attacker: a process that runs attacks by name, so that what they cost is not the victim's time.
 *
 * Asks: attack {name, target} → what the broker said.
 */
import { answerParent } from '../memory/child.ts'
import type { Attack, AttackTarget } from './attack.ts'
import * as connecting from './attacks-connect.ts'
import * as framing from './attacks-frames.ts'
import * as requesting from './attacks-requests.ts'

const attacks: Readonly<Record<string, Attack>> = { ...connecting, ...framing, ...requesting }

answerParent({
  attack: async ({ name, target }: { name: string; target: AttackTarget }) => {
    const attack = attacks[name]
    if (attack === undefined) throw new Error(`there is no attack "${name}"`)
    return (await attack(target)).counts
  },
})
