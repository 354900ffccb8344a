/**
 * Type check: whether the sources with a plant in them still type-check, each plant for itself. One
 * that does not would be found because it crashes, not because a promise is broken.
 *
 * Always true: what is merely unused after the change does not count.
 * Called by run.ts before the hunt; the test of every run makes do with `compile`.
 */
import { join } from 'node:path'
import ts from 'typescript'
import { readSource, root } from '../support/repository.ts'
import { type Plant, plantedSources } from './plant.ts'

/** Declared and never read; every import of a line unused; unreachable code. */
const harmlessCodes: ReadonlySet<number> = new Set([6133, 6192, 6196, 7027])

interface Changing {
  readonly texts: Map<string, string>
  version: number
}

function projectOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const own = { noEmit: true, incremental: false }
  return ts.parseJsonConfigFileContent(config, ts.sys, root, own).options
}

function serviceOver(files: readonly string[], changing: Changing): ts.LanguageService {
  const options = projectOptions()
  const textOf = (path: string): string | undefined =>
    changing.texts.get(path) ?? ts.sys.readFile(path)
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...files],
    getScriptVersion: path => (changing.texts.has(path) ? String(changing.version) : '0'),
    getScriptSnapshot: path => {
      const text = textOf(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: options => ts.getDefaultLibFilePath(options),
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  })
}

/** A sentence for each plant whose changed files do not type-check. */
export function typeErrors(plants: readonly Plant[]): string[] {
  const changing: Changing = { texts: new Map(), version: 0 }
  const files = [...new Set(plants.flatMap(({ edits }) => edits.map(({ file }) => file)))]
  const service = serviceOver(
    files.map(file => join(root, file)),
    changing,
  )
  return plants.flatMap(plant => {
    changing.version++
    changing.texts.clear()
    for (const [file, text] of plantedSources(plant, readSource)) {
      changing.texts.set(join(root, file), text)
    }
    return [...changing.texts.keys()].flatMap(path =>
      service
        .getSemanticDiagnostics(path)
        .filter(({ code }) => !harmlessCodes.has(code))
        .map(({ messageText }) => {
          return `${plant.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
        }),
    )
  })
}
