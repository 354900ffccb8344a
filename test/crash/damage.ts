/**
 * Damage: every way in which the corruption sweep damages a data directory.
 *
 *   flip/<path>@<bit>   zero/<path>@<sector>   cut/<path>@<length>   delete/<path>   swap/<path>@<other path>
 *
 * Always true: the same directory has the same damages in the same order; an image is never changed
 * but for the file that is damaged.
 * Called by sweep.ts.
 */
import { sectorBytes } from '../simulation/power-loss.ts'
import type { FlatImage } from './flat-disk.ts'

export const damageKinds = ['flip', 'zero', 'cut', 'delete', 'swap'] as const
export type DamageKind = (typeof damageKinds)[number]

export interface Damage {
  readonly kind: DamageKind
  readonly path: string
  /** Bit, sector or length; of a swap the place of the other file among all. */
  readonly at: number
}

export const damageName = ({ kind, path, at }: Damage): string => `${kind}/${path}@${at}`

/** @throws Error for what is no damage */
export function parseDamage(text: string): Damage {
  const match = /^(\w+)\/(.+)@(\d+)$/.exec(text)
  const kind = damageKinds.find(one => one === match?.[1])
  if (match === null || kind === undefined) throw new Error(`not a damage: ${text}`)
  return { kind, path: match[2] ?? '', at: Number(match[3]) }
}

/** Every damage of one kind. */
export function* damagesOf({ files }: FlatImage, kind: DamageKind): Generator<Damage> {
  const paths = [...files.keys()].sort()
  for (const [number, path] of paths.entries()) {
    const length = files.get(path)?.length ?? 0
    const count = {
      flip: length * 8,
      zero: Math.ceil(length / sectorBytes),
      cut: length,
      delete: 1,
      swap: paths.length,
    }[kind]
    for (let at = kind === 'swap' ? number + 1 : 0; at < count; at++) yield { kind, path, at }
  }
}

/** null where nothing is different afterwards. */
export function damaged(image: FlatImage, { kind, path, at }: Damage): FlatImage | null {
  const files = new Map(image.files)
  const old = files.get(path)
  if (old === undefined) throw new Error(`there is no ${path}`)
  if (kind === 'delete') files.delete(path)
  else if (kind === 'cut') files.set(path, old.slice(0, at))
  else if (kind === 'swap') {
    const other = [...files.keys()].sort()[at] ?? ''
    const content = files.get(other)
    if (content === undefined || Buffer.compare(content, old) === 0) return null
    files.set(path, content)
    files.set(other, old)
  } else {
    const bytes = old.slice()
    if (kind === 'flip') bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
    else bytes.fill(0, at * sectorBytes, (at + 1) * sectorBytes)
    if (Buffer.compare(bytes, old) === 0) return null
    files.set(path, bytes)
  }
  return { files, directories: image.directories }
}

/** The directories of the files that are damaged. */
export function placesOf({ files }: FlatImage, { kind, path, at }: Damage): string[] {
  const other = kind === 'swap' ? ([...files.keys()].sort()[at] ?? '') : path
  return [path, other].map(one => one.slice(0, one.lastIndexOf('/')))
}

/** The kind of a file, for the table. */
export function fileKindOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const suffix = /^\d{20}\.(\w+)$/.exec(name)?.[1]
  return suffix === undefined ? name : `*.${suffix}`
}
