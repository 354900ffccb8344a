/**
 * Targets: everything that is fuzzed, in one list.
 *
 * Always true: names are unique; weights say how many executions a target has beside the others.
 * Used by the lane and the tests.
 */
import type { Target } from './target.ts'
import { answer } from './targets/answer.ts'
import { batch } from './targets/batch.ts'
import { frame } from './targets/frame.ts'
import { header } from './targets/header.ts'
import { large } from './targets/large.ts'
import { numbers } from './targets/numbers.ts'
import { request } from './targets/request.ts'
import { sdk } from './targets/sdk.ts'
import { unpack } from './targets/unpack.ts'

export const targets: readonly Target[] = [
  ...[numbers, large, frame, header, batch, unpack],
  ...[request, answer, sdk],
]
