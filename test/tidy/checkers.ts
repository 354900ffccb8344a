/**
 * Checkers: Biome and dependency-cruiser, run on a folder that is laid out like this repository,
 * and what they found in one form.
 *
 * Always true: a checker that could not do its work throws; it never answers with an empty list.
 * Called by house.test.ts on the repository and by planted.test.ts on a folder of planted
 * violations.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ICruiseResult, IModule } from 'dependency-cruiser'
import { root, sourceFolders } from '../support/repository.ts'

export interface Finding {
  readonly rule: string
  /** Relative to the folder that was checked. */
  readonly file: string
  readonly message: string
}

/** Runs a tool of node_modules/.bin in `folder`; what it printed, whatever its exit code. */
async function runTool(name: string, args: readonly string[], folder: string): Promise<string> {
  const tool = join(root, 'node_modules', '.bin', name)
  const options = { cwd: folder, maxBuffer: 256 * 1024 * 1024 }
  try {
    return (await promisify(execFile)(tool, args, options)).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    if (stdout === undefined || stdout === '') throw new Error(`${name}: ${stderr ?? error}`)
    return stdout
  }
}

interface BiomeReport {
  readonly summary: { readonly errors: number }
  readonly diagnostics: readonly {
    readonly category: string
    readonly severity: string
    readonly message: string
    readonly location: { readonly path: string; readonly start: { readonly line: number } }
  }[]
}

/** `lint/style/noEnum` is reported as `noEnum`, `format` as it is; hints are left out. */
export async function runBiome(folder: string): Promise<Finding[]> {
  const args = ['check', '.', '--reporter=json', '--max-diagnostics=none']
  const report = JSON.parse(await runTool('biome', args, folder)) as BiomeReport
  const severe = report.diagnostics.filter(({ severity }) => severity !== 'information')
  return severe.map(({ category, message, location }) => ({
    rule: category.split('/').at(-1) ?? category,
    file: location.path,
    message: `line ${location.start?.line}: ${message}`,
  }))
}

export interface Cruised {
  readonly findings: Finding[]
  readonly modules: readonly IModule[]
}

export async function runCruiser(folder: string): Promise<Cruised> {
  const folders = sourceFolders.filter(name => existsSync(join(folder, name)))
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders]
  const result = JSON.parse(await runTool('depcruise', args, folder)) as ICruiseResult
  const findings = result.summary.violations.map(({ rule, from, to }) => ({
    rule: rule.name,
    file: from,
    message: `imports ${to}`,
  }))
  return { findings, modules: result.modules }
}
