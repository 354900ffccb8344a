/**
 * Repository: where the sources lie, as seen from the compiled tests in dist/.
 *
 * Always true: paths are relative to the root, with `/`, sorted; a compiled test whose source is
 * gone (tsc never deletes) is not listed, so it can neither run nor count.
 * Called by the suite loader, the runner and the tidy tests.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. This file is `<root>/dist/test/support/repository.js`. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** The folders of the repository that hold source code. */
export const sourceFolders = ['protocol', 'client', 'broker', 'test', 'bench'] as const

/** Files under `folder` whose path ends like `ending`; none where there is no such folder. */
export function filesUnder(folder: string, ending: RegExp): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => ending.test(name))
      .map(name => `${folder}/${name}`)
      .sort()
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return []
    throw error
  }
}

/** Every TypeScript file of the five source folders, fixtures left out. */
export function sourceFiles(): string[] {
  return sourceFolders
    .flatMap(folder => filesUnder(folder, /\.[cm]?ts$/))
    .filter(path => !path.includes('/fixtures/'))
}

export function readSource(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** `test/a/b.test.ts` as the absolute path of its compiled form. */
export function compiledPath(path: string): string {
  return join(root, 'dist', path.replace(/\.ts$/, '.js'))
}
