/**
 * Http: the plain HTTP answers on the broker's port, for health checks, for Prometheus, and for
 * people who point a browser at it.
 *
 *   /healthz   the event loop turns         /readyz   serves, or why not (JSON)
 *   /metrics   for Prometheus               /         a few words
 *
 * Always true: an answer changes nothing and tells nothing of what records hold; asking often costs
 * little, because scrapes that overlap share one.
 * Called by the listener.
 */
import type { HttpAnswer } from '../../protocol/world.ts'
import { nearestName } from '../config/nearest-name.ts'
import type { Health } from './health.ts'

export interface HttpParts {
  readonly health: Health
  /** What /metrics answers. */
  readonly metrics: () => Promise<HttpAnswer>
}

const welcome = `This is a Sluice broker; clients speak WebSocket here.
/healthz  is it alive?
/readyz   does it serve, and if not, why?
/metrics  numbers for Prometheus`

const plain = (status: number, body: string): HttpAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

const json = (status: number, body: object): HttpAnswer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: `${JSON.stringify(body)}\n`,
})

/** Nobody is served, or nothing is written: whoever chooses among brokers takes another. */
const unavailable: readonly string[] = ['starting', 'unready', 'stopping']

type Answerer = (parts: HttpParts) => HttpAnswer | Promise<HttpAnswer>

const resources: ReadonlyMap<string, Answerer> = new Map<string, Answerer>([
  ['/', () => plain(200, welcome)],
  ['/healthz', () => plain(200, 'ok')],
  [
    '/readyz',
    ({ health }) => {
      const report = health.report()
      return json(unavailable.includes(report.status) ? 503 : 200, report)
    },
  ],
  ['/metrics', ({ metrics }) => metrics()],
])

export function answerHttp(path: string, parts: HttpParts): HttpAnswer | Promise<HttpAnswer> {
  const [resource = '/'] = path.split('?')
  const answer = resources.get(resource)
  if (answer !== undefined) return answer(parts)
  const shown = resource.slice(0, 200)
  const named = [...resources.keys()].filter(name => name !== '/')
  return plain(404, `there is no ${shown}; try ${nearestName(shown, named) ?? named.join(', ')}`)
}
