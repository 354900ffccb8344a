/**
 * Workspace: a copy of the compiled tree in a folder of its own, in which one plant is compiled in.
 * Its files are hard links, so that it costs no room; those that a plant changes are written anew.
 *
 *   <temporary>/dist/…          links to ours, the planted files aside
 *   <temporary>/test, broker …  the sources, for what lists or reads them
 *
 * Always true: the tree that it was made from is never written to; `remove` takes all of it away,
 * as does a SIGINT or SIGTERM of this process.
 * Made by hunt.ts for each plant, and without a plant for the control.
 */
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSource, root } from '../support/repository.ts'
import { compile, type Plant, plantedSources } from './plant.ts'

export interface Workspace {
  /** Laid out like the root of the repository. */
  readonly folder: string
  remove(): void
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** What takes away the workspaces that there are. */
const open = new Set<() => void>()

function onSignal(signal: NodeJS.Signals): void {
  for (const clear of open) clear()
  unwatchSignals()
  // The signal does what it would have done without us.
  process.kill(process.pid, signal)
}

function watchSignals(): void {
  for (const signal of signals) process.on(signal, onSignal)
}

function unwatchSignals(): void {
  for (const signal of signals) process.off(signal, onSignal)
}

/** `null` makes one without a bug. @throws Error where the plant does not apply */
export function makeWorkspace(plant: Plant | null): Workspace {
  const compiled = plant === null ? new Map<string, string>() : compiledPlant(plant)
  const folder = mkdtempSync(join(tmpdir(), 'sluice-plant-'))
  const clear = (): void => rmSync(folder, { recursive: true, force: true })
  const remove = (): void => {
    clear()
    if (open.delete(clear) && open.size === 0) unwatchSignals()
  }
  if (open.size === 0) watchSignals()
  open.add(clear)
  try {
    for (const name of readdirSync(root)) {
      if (name === '.git' || name === 'dist') continue
      symlinkSync(join(root, name), join(folder, name))
    }
    linkTree(join(root, 'dist'), join(folder, 'dist'))
    for (const [file, text] of compiled) {
      const target = join(folder, 'dist', file.replace(/\.ts$/, '.js'))
      // First off, or the text would go into the file that both trees share.
      unlinkSync(target)
      writeFileSync(target, text)
    }
    return { folder, remove }
  } catch (error) {
    remove()
    throw error
  }
}

export function compiledPlant(plant: Plant): Map<string, string> {
  const sources = plantedSources(plant, readSource)
  return new Map([...sources].map(([file, text]) => [file, compile(file, text)]))
}

function linkTree(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkTree(source, target)
    else linkOrCopy(source, target)
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    // Another file system, or one that knows no hard links.
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes((error as { code?: string }).code ?? '')) throw error
    copyFileSync(from, to)
  }
}
