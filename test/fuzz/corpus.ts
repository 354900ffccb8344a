/**
 * Corpus: inputs that once broke something, and inputs that are hard to come by, as files.
 *
 *   test/fuzz/corpus/<target>/<what it is>.bin
 *
 * Always true: a file is an input of the target whose folder it lies in; each is replayed by every
 * `npm test`.
 * Used by the lane (`--keep`, `--corpus`) and fuzz.test.ts.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/repository.ts'
import type { Finding } from './engine.ts'

export interface CorpusFile {
  readonly target: string
  readonly name: string
  readonly input: Uint8Array
}

const folder = join(root, 'test', 'fuzz', 'corpus')

export function corpusFiles(target: string): CorpusFile[] {
  const own = join(folder, target)
  if (!existsSync(own)) return []
  return readdirSync(own)
    .filter(name => name.endsWith('.bin'))
    .sort()
    .map(name => ({ target, name, input: new Uint8Array(readFileSync(join(own, name))) }))
}

/** Writes the input of a finding; answers its path in the repository. */
export function keepInCorpus({ target, index, what, inputBase64 }: Finding): string {
  const words = what.toLowerCase().replace(/[^a-z]+/g, '-')
  const name = `${words.replace(/^-|-$/g, '').slice(0, 60)}-${index}.bin`
  mkdirSync(join(folder, target), { recursive: true })
  writeFileSync(join(folder, target, name), Buffer.from(inputBase64, 'base64'))
  return `test/fuzz/corpus/${target}/${name}`
}
