/** The plain HTTP answers, before and after a broker is ready. */
import t from 'tap'
import { answerHttp } from '../../../broker/server/http.ts'

t.test('a broker that is not ready says so to /readyz, and is alive all the same', async t => {
  t.match(answerHttp('/readyz', false), { status: 503, body: 'not ready\n' })
  t.match(answerHttp('/healthz', false), { status: 200 })
  t.match(answerHttp('/readyz', true), { status: 200 })
})
