/**
 * Packages: the door to node:zlib and the optional codec packages (lz4-napi, snappy).
 *
 * Always true: a package is loaded when its codec is first asked for, not before (they cost
 * start-up time and memory), and one that cannot be loaded is `null`, never an exception. Names are
 * put together at run time, so that no bundler tries to resolve what a browser cannot have.
 * Called by compression.ts only.
 */

/** The part of node:zlib that is used; zstd is there from Node 22.15 on. */
export interface Zlib {
  gzipSync(bytes: Uint8Array): Uint8Array
  gunzipSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array
  zstdCompressSync?(bytes: Uint8Array): Uint8Array
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array
}

export interface Lz4 {
  compressFrameSync(bytes: Uint8Array): Uint8Array
  decompressFrameSync(bytes: Uint8Array): Uint8Array
}

export interface Snappy {
  compressSync(bytes: Uint8Array): Uint8Array
  uncompressSync(bytes: Uint8Array): Uint8Array
}

export interface Packages {
  readonly zlib: Zlib | null
  lz4(): Lz4 | null
  snappy(): Snappy | null
}

/** Everything that this process can offer. */
export async function openPackages(): Promise<Packages> {
  const zlib = await importBuiltIn<Zlib>('zlib')
  const module = await importBuiltIn<{ createRequire(from: string): (name: string) => unknown }>(
    'module',
  )
  const loadPackage = module?.createRequire(import.meta.url)
  return {
    zlib,
    lz4: lazily(() => loadPackage?.('lz4-napi') as Lz4 | undefined),
    snappy: lazily(() => loadPackage?.('snappy') as Snappy | undefined),
  }
}

async function importBuiltIn<T>(name: string): Promise<T | null> {
  const specifier = ['node', name].join(':')
  try {
    return (await import(specifier)) as T
  } catch {
    return null
  }
}

/** Loads at the first call and remembers the outcome. */
function lazily<T>(load: () => T | undefined): () => T | null {
  let loaded: T | null | undefined
  return () => {
    if (loaded !== undefined) return loaded
    try {
      loaded = load() ?? null
    } catch {
      loaded = null
    }
    return loaded
  }
}
