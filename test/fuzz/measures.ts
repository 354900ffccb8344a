/**
 * Measures: what an execution costs this process.
 *
 * Always true: both only grow between two collections; a difference of two readings is the cost.
 * Used by engine.ts.
 */
import { getHeapStatistics } from 'node:v8'

/** On the heap and beside it. */
export const allocatedBytes = (): number => {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

/** Of this process: other processes on the machine do not make an input slow. */
export const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
