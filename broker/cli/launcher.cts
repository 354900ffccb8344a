#!/usr/bin/env node
/**
 * Launcher: the file behind `sluice`. It sets what must be set before the first module loads, then
 * runs main.
 *
 * Always true: CommonJS, because an ES module's imports run before its first line; a size of the
 * thread pool that the user chose is kept. (V8's young generation cannot be resized from here: its
 * flag is read before.)
 * Run by npm's bin link; main.ts does everything else.
 */

// fsyncs, at most eight at once, and cold reads share libuv's pool: there must be threads for both.
process.env.UV_THREADPOOL_SIZE ??= '16'

import('./main.js').catch((error: unknown) => {
  process.stderr.write(`error: ${String(error)}\n`)
  process.exitCode = 1
})
