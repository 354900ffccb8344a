/** Who may open a WebSocket, as a function of the headers. */
import t from 'tap'
import {
  hostRefusal,
  isLoopbackName,
  type UpgradeRules,
  upgradeRefusal,
} from '../../../protocol/transport/upgrade-rules.ts'

const rules: UpgradeRules = {
  subprotocol: 'sluice.v1',
  allowedOrigins: ['https://console.example'],
  allowedHosts: ['broker.test:9290', 'Other.Test'],
  host: '127.0.0.5',
  isLoopback: true,
}
const headers = { host: 'localhost', upgrade: 'WebSocket', 'sec-websocket-protocol': 'sluice.v1' }

t.test('the names of a loopback bind are few, in any case and with any port', async t => {
  const own = ['localhost', 'LocalHost:1', '127.0.0.1:9290', '[::1]', '[::1]:9290', '127.0.0.5:1']
  for (const host of [...own, 'broker.test', 'other.test:7'])
    t.equal(hostRefusal(rules, host), null, host)
  const foreign = [
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ]
  for (const host of [...foreign, '127.0.0.2', '[::2]', 'evil.example:localhost']) {
    t.equal(hostRefusal(rules, host)?.status, 403, String(host))
  }
})

t.test('a bind that is not loopback answers to any name', async t => {
  t.equal(hostRefusal({ ...rules, isLoopback: false }, 'broker.example'), null)
})

t.test('an origin must be allowed letter by letter', async t => {
  t.equal(upgradeRefusal(rules, { ...headers, origin: 'https://console.example' }), null)
  for (const origin of ['http://console.example', 'https://console.example.evil', 'null', '']) {
    t.equal(upgradeRefusal(rules, { ...headers, origin })?.status, 403, origin)
  }
})

t.test('a client that is no browser sends no origin', async t => {
  t.equal(upgradeRefusal(rules, headers), null)
})

t.test('the reason is one short line whatever was sent', async t => {
  const host = `a\r\n${'b'.repeat(500)}`
  const reason = hostRefusal(rules, host)?.reason ?? ''
  t.ok(reason.length < 150 && !/[\r\n]/.test(reason), reason)
})

t.test('loopback names are recognised, and what only looks like one is not', async t => {
  for (const name of ['localhost', '127.0.0.1', '127.255.0.1:80', '[::1]'])
    t.ok(isLoopbackName(name), name)
  for (const name of [
    '127.0.0.1.example',
    'localhost.example',
    '10.0.0.1',
    '[::]',
    '0.0.0.0',
    '',
  ]) {
    t.notOk(isLoopbackName(name), name)
  }
})
