/**
 * Every plant that `npm run plants` hunts, rule by rule.
 * Called by run.ts and by the test.
 */
import type { Plant } from '../plant.ts'
import { acks, doors, duplicates, names, reads, starts } from './broker-promises.ts'
import { s13, s14, s15, s16 } from './rules-bytes.ts'
import { s3, s4, s5, s6, s7 } from './rules-files.ts'
import { s8, s9, s10, s11, s12 } from './rules-state.ts'
import { s1, s2 } from './rules-writing.ts'
import { buffers, order, reading } from './sdk-promises.ts'

const rules = [s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16]
const promises = [acks, names, starts, duplicates, reads, doors, order, reading, buffers]

export const allPlants: readonly Plant[] = [...rules, ...promises].flat()
