/**
 * Request counts: how many requests of each api, how long, how large, and which errors they met.
 *
 * Always true: an api that does not exist is counted as `unknown`, and codes come from the error
 * table, so that no peer can make labels up.
 * Bumped by broker/server once per request; read at a scrape.
 */
import type { ErrorCode } from '../../protocol/errors.ts'
import { apis } from '../../protocol/messages/apis.ts'
import { FixedHistogram, secondsBounds } from './fixed-histogram.ts'

export class ApiCounts {
  readonly api: string
  /** From the whole request to its answer. */
  readonly durationSeconds = new FixedHistogram(secondsBounds)
  /** Of that, time spent waiting: for records to come, or for the peer to take its answers. */
  readonly queueSeconds = new FixedHistogram(secondsBounds)
  readonly errors = new Map<ErrorCode, number>()
  receivedBytes = 0
  sentBytes = 0

  constructor(api: string) {
    this.api = api
  }

  failed(code: ErrorCode): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
  }
}

export class RequestCounts {
  readonly #byApi = new Map<string, ApiCounts>()
  readonly #unknown = new ApiCounts('unknown')

  constructor() {
    for (const name of Object.keys(apis)) this.#byApi.set(name, new ApiCounts(name))
  }

  /** @param api what the header says it is. */
  of(api: unknown): ApiCounts {
    return this.#byApi.get(api as string) ?? this.#unknown
  }

  all(): ApiCounts[] {
    return [...this.#byApi.values(), this.#unknown]
  }
}
