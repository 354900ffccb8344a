/**
 * Targets: everything that is fuzzed, in one list.
 *
 * Always true: names are unique; the weights are out of a million.
 * Used by the lane and the tests.
 */
import type { Target } from './target.ts'
import { batch } from './targets/batch.ts'
import { frame } from './targets/frame.ts'
import { header } from './targets/header.ts'
import { large } from './targets/large.ts'
import { numbers } from './targets/numbers.ts'
import { request } from './targets/request.ts'

import { unpack } from './targets/unpack.ts'

export const targets: readonly Target[] = [numbers, large, frame, header, batch, unpack, request]
