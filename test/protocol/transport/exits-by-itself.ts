/**
 * A program, not a test: listens, dials, echoes one message, closes all, and must then exit by
 * itself, although a ping timer and a far-off background timer were set. Started by
 * websocket-listen.test.ts.
 */
import { realTimers } from '../../../protocol/real-world.ts'
import { webSocketNetwork } from '../../../protocol/transport/websocket.ts'
import { listenDefaults } from './harness.ts'

const network = webSocketNetwork(realTimers)
realTimers.after(3_600_000, () => {}, { background: true })
const listening = await network.listen({
  ...listenDefaults,
  pingIntervalMs: 3_600_000,
  onRefused: () => {},
  onConnection: connection => ({
    onMessage: parts => connection.send(parts),
    onText: () => {},
    onDrain: () => {},
    onClose: () => {},
  }),
})
const url = `ws://127.0.0.1:${listening.port}`
const options = { url, subprotocol: 'sluice.v1', maxMessageBytes: 1_000_000, timeoutMs: 10_000 }
await network.dial(options, connection => {
  connection.send([new Uint8Array(100_000)])
  return {
    onMessage: parts => {
      const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0)
      console.log(`echoed ${bytes} bytes`)
      connection.close(1000, '')
      if (process.argv[2] === 'close') void listening.close()
      else listening.stopAccepting()
    },
    onText: () => {},
    onDrain: () => {},
    onClose: () => {},
  }
})
