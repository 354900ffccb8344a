/**
 * Dialling and listening in the simulated network: refusals, time-outs, limits, ports.
 */
import t from 'tap'
import { asText, dial, listen, listenOptions, refused, text } from './network-pair.ts'
import { SimWorld } from './sim-world.ts'

t.test('a dial is refused where nobody listens, and times out where nobody answers', async t => {
  const world = new SimWorld({ seed: 1 })
  await world.run(async () => {
    const client = world.client('client')
    world.node('server')
    await refused(t, dial(client, 'ws://server:9000'), /refused/)
    await world.node('server').network.listen(listenOptions('127.0.0.1'))
    await refused(t, dial(client, 'ws://server:9000'), /loopback only/)
    world.network.cut('client', 'server')
    const startMs = world.scheduler.nowMs
    await refused(t, dial(client, 'ws://server:9000'), /no answer in 300 ms/)
    t.equal(Math.round(world.scheduler.nowMs - startMs), 300)
    const local = await dial(world.node('server'), 'ws://localhost:9000')
    t.equal(local.peer, 'server:9000')
  })
})

t.test(
  'a listener refuses the wrong subprotocol and too many connections, with the reason',
  async t => {
    const world = new SimWorld({ seed: 1 })
    const reasons: string[] = []
    await world.run(async () => {
      const onRefused = (reason: string) => void reasons.push(reason)
      const limits = { maxConnections: 3, maxConnectionsPerAddress: 2, onRefused }
      const { network } = world.node('server')
      await network.listen({ ...listenOptions('server'), ...limits })
      await refused(t, dial(world.client('a'), 'ws://server:9000', 'http'), /subprotocol/)
      const first = await dial(world.client('a'), 'ws://server:9000')
      await dial(world.client('a'), 'ws://server:9000')
      await refused(t, dial(world.client('a'), 'ws://server:9000'), /of one address/)
      await dial(world.client('b'), 'ws://server:9000')
      await refused(t, dial(world.client('c'), 'ws://server:9000'), /too many connections/)
      first.terminate()
      await world.sleep(10)
      await dial(world.client('c'), 'ws://server:9000')
      t.equal(reasons.length, 3)
    })
  },
)

t.test('listening: a taken port, a foreign address, any free port, and an end of it', async t => {
  const world = new SimWorld({ seed: 1 })
  await world.run(async () => {
    const { network } = world.node('server')
    const first = await network.listen(listenOptions('server'))
    await t.rejects(network.listen(listenOptions('0.0.0.0')), { message: /in use/ })
    await t.rejects(network.listen(listenOptions('elsewhere')), { message: /no address elsewhere/ })
    const free = await network.listen({ ...listenOptions('0.0.0.0'), port: 0 })
    t.ok(free.port >= 49_152)
    const open = await dial(world.client('a'), `ws://server:${free.port}`)
    free.stopAccepting()
    await refused(t, dial(world.client('a'), `ws://server:${free.port}`), /refused/)
    open.send([text('still open')])
    await first.close()
    await network.listen(listenOptions('server'))
  })
})

t.test('messages of different connections overtake each other', async t => {
  const firsts = new Set<string | undefined>()
  for (let seed = 0; seed < 20; seed++) {
    const world = new SimWorld({ seed })
    await world.run(async () => {
      const seen: string[] = []
      await listen(world, () => ({ onMessage: parts => void seen.push(asText(parts)) }))
      const client = world.client('client')
      const one = await dial(client, 'ws://server:9000')
      const two = await dial(client, 'ws://server:9000')
      one.send([text('one')])
      two.send([text('two')])
      await world.sleep(100)
      firsts.add(seen[0])
    })
  }
  t.same([...firsts].sort(), ['one', 'two'])
})
