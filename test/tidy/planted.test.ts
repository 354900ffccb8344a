/**
 * Each house rule against a planted violation. `violations/<rule>.txt` holds one or more files,
 * each opened by a line `// path: …`; all of them are laid out in one folder like this repository,
 * and each must be reported by exactly the rule that its .txt is named after. The files of
 * `neighbours.txt` are what the violations import; they keep all rules, which proves that the rules
 * spare what is good.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { root } from '../support/repository.ts'
import { runBiome, runCruiser } from './checkers.ts'
import { checkSource, sourceRules } from './source-rules.ts'

interface Plant {
  /** null for a neighbour. */
  readonly rule: string | null
  readonly path: string
  readonly text: string
}

const violations = join(root, 'test/tidy/violations')

function plantsOf(file: string): Plant[] {
  const rule = file === 'neighbours.txt' ? null : file.replace(/\.txt$/, '')
  const [, ...pieces] = readFileSync(join(violations, file), 'utf8').split(/^\/\/ path: (.+)\n/m)
  return Array.from({ length: pieces.length / 2 }, (_, i) => ({
    rule,
    path: pieces[2 * i] ?? '',
    text: pieces[2 * i + 1] ?? '',
  }))
}

const plants = readdirSync(violations).sort().flatMap(plantsOf)

/** Names of the rules that .biome.jsonc sets itself; `recommended` is Biome's own affair. */
function biomeRules(): string[] {
  const text = readFileSync(join(root, '.biome.jsonc'), 'utf8').replace(/^\s*\/\/.*$/gm, '')
  const { linter } = JSON.parse(text) as { linter: { rules: Record<string, unknown> } }
  const groups = Object.values(linter.rules).filter(group => typeof group === 'object')
  const settings = groups.flatMap(group => Object.entries(group as Record<string, unknown>))
  return ['format', ...settings.filter(([, setting]) => setting !== 'off').map(([name]) => name)]
}

function cruiserRules(): string[] {
  const load = createRequire(import.meta.url)
  const config = load(join(root, '.dependency-cruiser.cjs')) as { forbidden: { name: string }[] }
  return config.forbidden.map(({ name }) => name)
}

/** Rules of the house per file, as found in a folder that holds nothing but the plants. */
async function findIn(folder: string): Promise<Map<string, Set<string>>> {
  for (const { path, text } of plants) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  for (const name of ['.biome.jsonc', '.dependency-cruiser.cjs', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const [biome, cruiser] = await Promise.all([runBiome(folder), runCruiser(folder)])
  const own = plants.flatMap(({ path, text }) => checkSource(path, text))
  const found = new Map<string, Set<string>>()
  for (const { file, rule } of [...biome, ...cruiser.findings, ...own]) {
    found.set(file, (found.get(file) ?? new Set()).add(rule))
  }
  return found
}

t.test('planted violations', async t => {
  const found = await findIn(t.testdir())

  for (const { rule, path } of plants) {
    const name =
      rule === null ? `${path} keeps all rules` : `${rule} and no other rule reports ${path}`
    t.test(name, async t => {
      t.same([...(found.get(path) ?? [])], rule === null ? [] : [rule])
    })
  }
})

t.test('every rule of the house has a planted violation, and no two are in one file', async t => {
  const rules = [...biomeRules(), ...cruiserRules(), ...sourceRules.map(({ name }) => name)]
  const planted = new Set(plants.map(({ rule }) => rule))
  t.same(
    rules.filter(rule => !planted.has(rule)),
    [],
  )
  const paths = plants.map(({ path }) => path)
  t.same(
    paths.filter((path, index) => paths.indexOf(path) !== index),
    [],
  )
})
