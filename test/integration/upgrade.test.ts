/**
 * The one port of a real broker, as browsers, probes and strangers see it: pages of other origins
 * and foreign host names are refused, health is told, and clients are served all the same.
 */
import { request } from 'node:http'
import t, { type Test } from 'tap'
import { startBroker } from '../../broker/testing/index.ts'
import { connect } from '../../client/index.ts'

interface Seen {
  readonly status: number
  readonly text: string
}

/** One HTTP request; an accepted upgrade is status 101. */
function ask(url: string, path: string, headers: Record<string, string> = {}): Promise<Seen> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, headers })
    asked.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode ?? 0, text: '' })
    })
    asked.on('response', response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol': 'sluice.v1',
}

async function start(t: Test) {
  const config = { allowedOrigins: ['https://console.example'], allowedHosts: ['broker.test'] }
  const broker = await startBroker({ topics: { orders: 1 }, config })
  t.teardown(() => broker.close())
  return broker.url
}

t.test('a page may connect only from an allowed origin, and only under our host names', async t => {
  const url = await start(t)
  const upgrade = async (more: Record<string, string>) =>
    (await ask(url, '/', { ...handshake, ...more })).status
  t.equal(await upgrade({}), 101)
  t.equal(await upgrade({ Origin: 'https://console.example' }), 101)
  t.equal(await upgrade({ Origin: 'https://evil.example' }), 403)
  t.equal(await upgrade({ Origin: 'null' }), 403)
  t.equal(await upgrade({ Host: 'broker.test:9290' }), 101)
  t.equal(await upgrade({ Host: 'rebound.example' }), 403)
  t.equal(await upgrade({ 'Sec-WebSocket-Protocol': 'mqtt' }), 400)
  const client = await connect({ servers: url })
  t.equal((await client.topic('orders').send({ value: null })).offset, 0)
  await client.close()
})

t.test('the same port tells health over HTTP', async t => {
  const url = await start(t)
  t.match(await ask(url, '/healthz'), { status: 200, text: 'ok\n' })
  t.match(await ask(url, '/readyz'), { status: 200, text: /"status":"ready"/ })
  t.match(await ask(url, '/../../etc/passwd'), { status: 404 })
})

t.test('connections above the limits are refused, and one that ends makes room', async t => {
  for (const config of [{ maxConnections: 2 }, { maxConnectionsPerAddress: 2 }]) {
    const broker = await startBroker({ topics: { orders: 1 }, config })
    t.teardown(() => broker.close())
    const one = await connect({ servers: broker.url })
    const two = await connect({ servers: broker.url })
    const third = await ask(broker.url, '/', handshake)
    t.ok(third.status === 503 || third.status === 429, `status ${third.status}`)
    t.equal((await one.topic('orders').send({ value: null })).offset, 0, 'the others are served')
    await two.close()
    const again = await connect({ servers: broker.url, connectTimeoutMs: 5000 })
    await Promise.all([one.close(), again.close()])
  }
})
