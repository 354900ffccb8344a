/**
 * Targets: everything that is fuzzed, in one list.
 *
 * Always true: names are unique; weights say how many executions a target has beside the others.
 * Used by the lane and the tests.
 */
import type { Target } from './target.ts'
import { answer } from './targets/answer.ts'
import { batch } from './targets/batch.ts'
import { files } from './targets/files.ts'
import { frame } from './targets/frame.ts'
import { header } from './targets/header.ts'
import { large } from './targets/large.ts'
import { log } from './targets/log.ts'
import { numbers } from './targets/numbers.ts'
import { request } from './targets/request.ts'
import { sdk } from './targets/sdk.ts'
import { text } from './targets/text.ts'
import { unpack, unpackZstd } from './targets/unpack.ts'
import { websocket } from './targets/websocket.ts'

export const targets: readonly Target[] = [
  ...[numbers, large, frame, header, batch, unpack, unpackZstd],
  ...[request, answer, sdk, files, log, text, websocket],
]
