/**
 * Plant: one bug, as data: which lines of the product become which others. Production code carries
 * no switch for it; the changed text is compiled into a copy of dist/ (workspace.ts) and hunted
 * there.
 *
 * Always true: each text to be replaced stands exactly once in its file, or the plant does not
 * apply and says so; nothing here writes to the tree.
 * Listed in plants/; applied by workspace.ts, type-check.ts and the test.
 */
import ts from 'typescript'

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly replace: string
  readonly by: string
}

export interface Plant {
  /** Kebab case; names it on the command line. */
  readonly name: string
  /** `S1` … `S16` of the storage design, or the word for another promise. */
  readonly rule: string
  /** What the broken code does, as a sentence. */
  readonly says: string
  readonly edits: readonly Edit[]
  /** It can lose, repeat or fake records, so that two kinds of tests must notice. */
  readonly isHarmful: boolean
}

/** What it says, and the lines that it changes. */
type Told = readonly [says: string, ...edits: Edit[]]

function plants(rule: string, isHarmful: boolean, told: Record<string, Told>): Plant[] {
  return Object.entries(told).map(([name, [says, ...edits]]) => {
    return { name, rule, says, edits, isHarmful }
  })
}

/** Bugs that can lose, repeat or fake records. */
export function harmful(rule: string, told: Record<string, Told>): Plant[] {
  return plants(rule, true, told)
}

/** Bugs that harm something else. */
export function harmless(rule: string, told: Record<string, Told>): Plant[] {
  return plants(rule, false, told)
}

export function edit(file: string, replace: string, by: string): Edit {
  return { file, replace, by }
}

/** @throws Error where a text stands not at all, or more than once */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  return edits.reduce((sofar, { file, replace, by }) => {
    const pieces = sofar.split(replace)
    if (pieces.length === 2) return pieces.join(by)
    throw new Error(`${pieces.length - 1} places in ${file} read ${JSON.stringify(replace)}`)
  }, text)
}

/** The changed text of each file of a plant, by path; `read` gives the text as it is. */
export function plantedSources(plant: Plant, read: (file: string) => string): Map<string, string> {
  const files = [...new Set(plant.edits.map(({ file }) => file))]
  return new Map(
    files.map(file => [
      file,
      applyEdits(
        read(file),
        plant.edits.filter(one => one.file === file),
      ),
    ]),
  )
}

/** What `tsc` makes of the text, as far as one file alone tells. @throws Error where it is none */
export function compile(file: string, text: string): string {
  const { outputText, diagnostics = [] } = ts.transpileModule(text, {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  })
  const [first] = diagnostics
  if (first === undefined) return outputText
  throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`)
}
