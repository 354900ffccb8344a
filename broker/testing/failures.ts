/**
 * Failures: errors that a test has ordered, by api, first ordered first answered.
 *
 * Always true: each order is served exactly as many times as it said.
 * Used by index.ts, asked by the dispatcher before every request.
 */
import { type ErrorCode, errorTable, SluiceError } from '../../protocol/errors.ts'
import { type ApiName, apis } from '../../protocol/messages/apis.ts'
import { nearestName } from '../config/nearest-name.ts'

interface Order {
  readonly error: SluiceError
  left: number
}

export class Failures {
  readonly #orders = new Map<ApiName, Order[]>()

  /** @throws SluiceError INVALID_ARGUMENT for an api or code that does not exist, a number below 1 */
  add(
    api: ApiName,
    failure: { code: ErrorCode; times?: number; message?: string; maybeApplied?: boolean },
  ): void {
    const { code, times = 1, message = 'ordered by a test', maybeApplied = false } = failure
    if (!Object.hasOwn(apis, api)) {
      throw new SluiceError('INVALID_ARGUMENT', `there is no api "${api}"`, {
        hint: `apis: ${Object.keys(apis).join(', ')}`,
      })
    }
    if (!Object.hasOwn(errorTable, code)) {
      const nearest = nearestName(String(code), Object.keys(errorTable))
      throw new SluiceError('INVALID_ARGUMENT', `there is no error "${code}"`, {
        hint: nearest === null ? 'sluice help errors lists them' : `nearest: ${nearest}`,
      })
    }
    if (!Number.isSafeInteger(times) || times < 1) {
      throw new SluiceError('INVALID_ARGUMENT', `times must be an integer from 1, got ${times}`)
    }
    const error = new SluiceError(code, message, { maybeApplied })
    this.#orders.set(api, [...(this.#orders.get(api) ?? []), { error, left: times }])
  }

  next(api: ApiName): SluiceError | null {
    const orders = this.#orders.get(api)
    const order = orders?.[0]
    if (orders === undefined || order === undefined) return null
    order.left--
    if (order.left === 0) orders.shift()
    return order.error
  }
}
