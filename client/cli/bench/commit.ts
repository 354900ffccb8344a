/**
 * Commit: which commit this package was built from, read from its .git without running git.
 *
 * Always true: null outside a checkout (an installed package has no .git); a worktree's and a
 * packed reference are followed.
 * Used by conditions.ts.
 */
import type { Host } from '../terminal.ts'

type ReadText = Host['readText']

const isHash = (text: string): boolean => /^[0-9a-f]{40,64}$/.test(text)

/** Where the repository's files are: a worktree has a file that points there. */
async function gitDirectory(read: ReadText, packageDirectory: string): Promise<string> {
  const plain = `${packageDirectory.replace(/\/$/, '')}/.git`
  const pointer = /^gitdir: (.+)$/m.exec((await read(plain)) ?? '')?.[1]
  if (pointer === undefined) return plain
  return pointer.startsWith('/') ? pointer : `${packageDirectory}/${pointer}`
}

async function sharedDirectory(read: ReadText, directory: string): Promise<string> {
  const shared = (await read(`${directory}/commondir`))?.trim()
  if (shared === undefined) return directory
  return shared.startsWith('/') ? shared : `${directory}/${shared}`
}

export async function commitOf({ readText, packageDirectory }: Host): Promise<string | null> {
  const directory = await gitDirectory(readText, packageDirectory)
  const head = (await readText(`${directory}/HEAD`))?.trim()
  if (head === undefined) return null
  if (isHash(head)) return head
  const name = head.replace(/^ref: /, '')
  const shared = await sharedDirectory(readText, directory)
  const loose = (await readText(`${shared}/${name}`))?.trim()
  if (loose !== undefined && isHash(loose)) return loose
  const packed = (await readText(`${shared}/packed-refs`)) ?? ''
  const line = packed.split('\n').find(entry => entry.endsWith(` ${name}`))
  const hash = line?.split(' ')[0] ?? ''
  return isHash(hash) ? hash : null
}
