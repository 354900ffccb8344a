/**
 * Http: the plain HTTP answers on the broker's port, for health checks and for people who point a
 * browser at it.
 *
 * Always true: /healthz says that the process answers, /readyz that topics are served; nothing else
 * is told.
 * Called by the listener in broker.ts.
 */
import type { HttpAnswer } from '../../protocol/world.ts'

const plain = (status: number, body: string): HttpAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

export function answerHttp(path: string, isReady: boolean): HttpAnswer {
  const [resource] = path.split('?')
  if (resource === '/healthz') return plain(200, 'ok')
  if (resource === '/readyz') return isReady ? plain(200, 'ready') : plain(503, 'not ready')
  if (resource === '/') return plain(200, 'This is a Sluice broker; clients speak WebSocket here.')
  return plain(404, `there is no ${path.slice(0, 200)}; try /healthz or /readyz`)
}
