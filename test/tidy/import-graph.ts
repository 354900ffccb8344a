/**
 * ImportGraph: questions about the whole import graph that dependency-cruiser's rules cannot ask:
 * what the SDK loads when it is imported, and which files nobody reaches.
 *
 * Called by house.test.ts with the modules that runCruiser found.
 */
import type { IDependency, IModule } from 'dependency-cruiser'

type Follow = (dependency: IDependency) => boolean

/**
 * Everything that is reached from `entries` by the imports that `follow` takes, entries included.
 */
export function reachedFrom(
  modules: readonly IModule[],
  entries: readonly string[],
  follow: Follow = () => true,
): Set<string> {
  const bySource = new Map(modules.map(module => [module.source, module]))
  const reached = new Set<string>()
  const waiting = entries.filter(entry => bySource.has(entry))
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (reached.has(source)) continue
    reached.add(source)
    const dependencies = bySource.get(source)?.dependencies ?? []
    waiting.push(...dependencies.filter(follow).map(dependency => dependency.resolved))
  }
  return reached
}

/**
 * An import that happens when the importing file is loaded: neither of types alone nor with
 * import().
 */
export const isLoadedAtOnce: Follow = dependency =>
  !dependency.dynamic && !dependency.dependencyTypes.includes('type-only')

/** `node_modules/ws/index.js` → `ws`; null for what is not in a package. */
export function packageOf(path: string): string | null {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? null
}
