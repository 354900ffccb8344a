/**
 * Rows: the one-broker lines of DESIGN §12, in its order.
 *
 * Always true: names are file names in bench/results/ and never change their meaning.
 * Used by bench/run.ts.
 */
import { footprintRows } from './footprint-rows.ts'
import { latencyRows } from './latency-rows.ts'
import type { Row } from './row.ts'
import { throughputRows } from './throughput-rows.ts'

export const rows: readonly Row[] = [...throughputRows, ...latencyRows, ...footprintRows]
