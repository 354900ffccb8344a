/**
 * Dispatcher: from a request header to its handler, and from whatever a handler throws to an
 * answer.
 *
 *   header → known api? spoken version? well-formed? → handler → reply
 *   SluiceError → its row · broken invariant → the process ends
 *   anything else → UNKNOWN_SERVER_ERROR (a disk's: KAFKA_STORAGE_ERROR), logged
 *
 * Always true: every exchange that comes in is answered or finished, whatever the handler does.
 * Called by session.ts; one per broker.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { FrameHeader } from '../../protocol/frame.ts'
import { InvariantError } from '../../protocol/invariant.ts'
import { type ApiName, apis } from '../../protocol/messages/apis.ts'
import { checkMessage, dropUnknown, type Shape } from '../../protocol/messages/define.ts'
import { nearestName } from '../config/nearest-name.ts'
import { handlers } from './handlers/handlers.ts'
import { unforeseen } from './item-error.ts'
import type { BrokerParts, Exchange } from './parts.ts'

/** Looks at each request before its handler; an error is the answer. For tests of clients. */
export type Interceptor = (api: ApiName) => SluiceError | null

type AnyHandler = (parts: BrokerParts, request: unknown, exchange: Exchange) => void | Promise<void>

export class Dispatcher {
  readonly #parts: BrokerParts
  readonly #intercept: Interceptor | null
  #stopping = false

  constructor(parts: BrokerParts, intercept: Interceptor | null = null) {
    this.#parts = parts
    this.#intercept = intercept
  }

  /** From now on every request is refused, retriably. */
  stop(): void {
    this.#stopping = true
  }

  dispatch(exchange: Exchange, header: FrameHeader): void {
    try {
      const api = requireApi(header)
      const refusal = this.#refusal(api)
      if (refusal !== null) {
        exchange.fail(refusal)
        return
      }
      const shape = apis[api].request as Shape
      const request = checkMessage(shape, header)
      dropUnknown(shape, header, framing)
      const handle = handlers[api] as AnyHandler
      const done = handle(this.#parts, request, exchange)
      if (done !== undefined) done.catch(error => this.#failed(exchange, header, error))
    } catch (error) {
      this.#failed(exchange, header, error)
    }
  }

  #refusal(api: ApiName): SluiceError | null {
    if (this.#stopping) {
      return new SluiceError('BROKER_NOT_AVAILABLE', 'the broker is stopping', {
        broker: this.#parts.config.brokerId,
      })
    }
    return this.#intercept?.(api) ?? null
  }

  #failed(exchange: Exchange, header: FrameHeader, error: unknown): void {
    const { logger, world } = this.#parts
    if (error instanceof InvariantError) {
      const values = { event: 'invariant-broken', api: header.api, error }
      logger.error(values, 'a broken invariant: the broker ends')
      exchange.finish()
      world.process.die(error.message, error)
      return
    }
    if (SluiceError.is(error)) {
      exchange.fail(error)
      return
    }
    const values = { event: 'request-failed', api: header.api, error }
    logger.error(values, 'a request met an error that has no name')
    exchange.fail(unforeseen(error, true))
  }
}

/** What the frame itself has in a header. */
const framing: readonly string[] = ['id', 'api', 'v', 'body']

/** @throws SluiceError INVALID_REQUEST, UNKNOWN_API */
function requireApi(header: FrameHeader): ApiName {
  const { api, v } = header
  if (typeof api !== 'string') {
    throw new SluiceError('INVALID_REQUEST', 'header.api must be the name of an api', {
      hint: `apis: ${Object.keys(apis).join(', ')}`,
    })
  }
  if (!Object.hasOwn(apis, api)) {
    const nearest = nearestName(api.slice(0, 100), Object.keys(apis))
    throw new SluiceError('UNKNOWN_API', `there is no api "${api.slice(0, 100)}"`, {
      hint: nearest === null ? `apis: ${Object.keys(apis).join(', ')}` : `nearest: ${nearest}`,
    })
  }
  const [lowest, highest] = apis[api as ApiName].versions
  if (typeof v !== 'number' || !Number.isInteger(v)) {
    throw new SluiceError('INVALID_REQUEST', 'header.v must be the version of the api')
  }
  if (v < lowest || v > highest) {
    throw new SluiceError('UNKNOWN_API', `${api} is not spoken in version ${v}`, {
      hint: `versions ${lowest} to ${highest}`,
    })
  }
  return api as ApiName
}
