/**
 * Read check: what bench consume says of the records that it read, and on what grounds.
 *
 *   measured pass ── offsets, batch checksums, count ─┐
 *   second pass   ── stamps, where a bench wrote them ┴─> Verified
 *
 * Always true: `checked` names only what was looked at: the count where a known number of records
 * had to come and all were waited for; stamps where there are any; where nothing was read, nothing
 * is claimed. A topic of a bench whose stamps are all bad is not taken for one without stamps.
 * Used by bench consume.
 */
import type { Client } from '../../types/client.ts'
import type { CommandContext } from '../command.ts'
import type { PlannedPartition } from '../consume-plan.ts'
import { checkRecords } from './read-back.ts'
import type { ReadProgress } from './readers.ts'
import { type CheckName, StampCheck, type Verified } from './stamp-check.ts'

export interface ReadDone {
  readonly planned: readonly PlannedPartition[]
  /** One for each client. */
  readonly progress: readonly ReadProgress[]
  /** Records asked of each client. */
  readonly count: number | null
  /** In the measured pass. */
  readonly isCrcChecked: boolean
  readonly isStampChecked: boolean
}

export interface ReadChecked {
  /** null where nothing was read. */
  readonly verified: Verified | null
  /** Left out where nobody looked. */
  readonly areStamped?: boolean
}

/** The second pass, over what the first client read; null where it is left out. */
async function stampsOf(
  context: CommandContext,
  client: Client,
  { planned, progress, isStampChecked }: ReadDone,
): Promise<StampCheck | null> {
  if (!isStampChecked || context.signal.aborted) return null
  context.output.say('reading once more, to check every record …')
  const check = new StampCheck()
  const seen = planned.map((place, i) => ({ ...place, to: progress[0]?.next[i] ?? place.from }))
  await checkRecords(context, client, seen, check)
  return check
}

/** Every client came to the fixed ends, or has as many as were asked for. */
const isCounted = ({ progress, count }: ReadDone): boolean =>
  progress.every(one => one.isDone || (count !== null && one.records >= count))

/** Of the measured pass alone. */
function offsetsOf({ progress }: ReadDone) {
  const sum = (of: (one: ReadProgress) => number): number =>
    progress.reduce((total, one) => total + of(one), 0)
  const missing = sum(one => one.missing)
  const repeated = sum(one => one.repeated)
  const records = sum(one => one.records)
  const fault = missing + repeated > 0 ? 'offsets do not follow each other' : null
  return { missing, repeated, records, fault }
}

/** @throws SluiceError where the second pass cannot be read */
export async function checkRead(
  context: CommandContext,
  client: Client,
  done: ReadDone,
): Promise<ReadChecked> {
  const offsets = offsetsOf(done)
  const { missing, records } = offsets
  if (records + missing === 0) return { verified: null }
  const check = await stampsOf(context, client, done)
  const areStamped = check?.sawBench === true
  const stamps = areStamped ? check.resultOfSeen() : null
  const checked: CheckName[] = ['offsets']
  // the second pass always checks them
  if (done.isCrcChecked || check !== null) checked.push('crc')
  if (isCounted(done)) checked.push('count')
  if (areStamped) checked.push('stamps')
  const repeated = offsets.repeated + (stamps?.repeated ?? 0)
  const outOfOrder = stamps?.outOfOrder ?? 0
  const corrupt = stamps?.corrupt ?? 0
  const isSound = missing + repeated + outOfOrder + corrupt === 0
  const firstFault = offsets.fault ?? stamps?.firstFault ?? null
  const expected = records + missing - repeated
  const counts = { records, expected, missing, repeated, outOfOrder, corrupt }
  return {
    verified: { checked, ...counts, firstFault, isSound },
    ...(check !== null && { areStamped }),
  }
}
