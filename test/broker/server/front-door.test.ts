/** The port from before the logs are open until after they are closed. */
import t from 'tap'
import { createBroker } from '../../../broker/server/broker.ts'
import { openLogs } from '../../../broker/storage/log-manager.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { settled, testWorld } from '../../support/test-broker.ts'

t.test('while logs are opened HTTP is answered and nobody is connected', async t => {
  const world = await testWorld()
  let goOn = (): void => {}
  const held = new Promise<void>(resolve => {
    goOn = resolve
  })
  const starting = createBroker({ dataDir: '/data' }, world, {
    openLogs: async () => {
      await held
      return new FakeLogs()
    },
  })
  while (!world.network.listening) await settled()
  t.match(await world.network.http('/healthz'), { status: 200 })
  t.match(await world.network.http('/readyz'), { status: 503, body: /"status":"starting"/ })
  t.match((await world.network.http('/metrics')).body, 'sluice_broker_state{state="starting"} 1')
  t.throws(() => world.network.connect(), { message: 'the broker is starting' })
  goOn()
  const broker = await starting
  t.match(await world.network.http('/readyz'), { status: 200 })
  world.network.connect()
  await broker.close()
  t.equal(world.network.listening, false)
})

t.test('a start that fails lets go of the port', async t => {
  const world = await testWorld()
  const starting = createBroker({ dataDir: '/data' }, world, {
    openLogs: async () => {
      throw new Error('no logs today')
    },
  })
  await t.rejects(starting, { message: 'no logs today' })
  t.equal(world.network.listening, false)
  const broker = await createBroker({ dataDir: '/data' }, world)
  await broker.close()
})

t.test('while the logs are closed it says that it stops, and takes nobody', async t => {
  const world = await testWorld()
  const seen: string[] = []
  const broker = await createBroker({ dataDir: '/data' }, world, {
    openLogs: async options => {
      const logs = await openLogs(options)
      const close = logs.closeCleanly.bind(logs)
      logs.closeCleanly = async () => {
        seen.push((await world.network.http('/readyz')).body)
        t.throws(() => world.network.connect(), { message: 'the broker is stopping' })
        await close()
      }
      return logs
    },
  })
  await broker.close()
  t.match(seen, [/"status":"stopping"/])
  t.equal(world.network.listening, false)
})
