/**
 * The simulated network: order, delay, closing, cuts, crashes, half-open peers, slow readers.
 */
import t from 'tap'
import { dial, listenOptions, refused, text, withPair } from './network-pair.ts'

t.test('messages arrive whole and in order, both ways, after a delay', async t => {
  await withPair(async ({ world, near, far }) => {
    const sentMs = world.scheduler.nowMs
    for (let index = 0; index < 50; index++) near.connection.send([text(`m${index}`), text('!')])
    near.connection.send([])
    far.connection.send([text('back')])
    await world.sleep(100)
    const expected = [...Array.from({ length: 50 }, (_, index) => `m${index}!`), '']
    t.same(far.messages, expected)
    t.same(near.messages, ['back'])
    t.ok((far.arrivedMs[0] ?? 0) >= sentMs + 0.05)
    t.match(far.connection.peer, /^client:\d+$/)
    t.equal(near.connection.peer, 'server:9000')
  })
})

t.test('the receiver gets a copy of its own', async t => {
  await withPair(async ({ world, near, far }) => {
    const bytes = text('abc')
    near.connection.send([bytes])
    await world.sleep(10)
    far.parts[0]?.[0]?.fill(0)
    t.same(bytes, text('abc'))
  })
})

t.test(
  'a part that changes before it was flushed fails the run, one that changes later does not',
  async t => {
    const early = withPair(async ({ world, near }) => {
      const bytes = text('abc')
      near.connection.send([bytes], () => {})
      bytes[0] = 0
      await world.sleep(10)
    })
    await t.rejects(early, /client changed a message to server before it was flushed/)
    await withPair(async ({ world, near, far }) => {
      const bytes = text('abc')
      near.connection.send([bytes], () => bytes.fill(0))
      await world.sleep(10)
      t.same(far.messages, ['abc'])
      t.equal(bytes[0], 0)
    })
  },
)

t.test('closing lets what was sent before through, and both ends hear of it once', async t => {
  await withPair(async ({ world, near, far }) => {
    near.connection.send([text('last words')])
    near.connection.close(4001, 'enough')
    near.connection.send([text('too late')])
    await world.sleep(100)
    t.same(far.messages, ['last words'])
    t.same(far.closed, [{ code: 4001, reason: 'enough' }])
    t.same(near.closed, [{ code: 4001, reason: 'enough' }])
  })
})

t.test('a peer that answers no close is given up after 30 seconds', async t => {
  await withPair(async ({ world, near }) => {
    world.network.cut('client', 'server')
    near.connection.close(1000, '')
    await world.sleep(29_000)
    t.same(near.closed, [])
    await world.sleep(2000)
    t.equal(near.closed[0]?.code, 1006)
  })
})

t.test(
  'after terminate nothing arrives any more, onFlushed still runs, the peer sees a reset',
  async t => {
    await withPair(async ({ world, near, far }) => {
      near.connection.terminate()
      far.connection.send([text('into the void')])
      let isFlushed = false
      near.connection.send([text('x')], () => {
        isFlushed = true
      })
      await world.sleep(100)
      t.ok(isFlushed)
      t.same([near.messages, far.messages], [[], []])
      t.equal(near.closed.length, 1)
      t.equal(far.closed.length, 1)
      t.equal(far.closed[0]?.code, 1006)
      t.equal(near.connection.bufferedBytes, 0)
    })
  },
)

t.test('a message above the limit of the receiver closes with 1009', async t => {
  await withPair(async ({ world, near, far }) => {
    near.connection.send([new Uint8Array(2_000_000)])
    await world.sleep(1000)
    t.same(far.messages, [])
    t.same([near.closed[0]?.code, far.closed[0]?.code], [1009, 1009])
  })
})

t.test('a cut loses nothing: all arrives after it is healed', async t => {
  await withPair(async ({ world, near, far }) => {
    world.network.cut('client', 'server')
    near.connection.send([text('a')])
    near.connection.send([text('b')])
    await world.sleep(10_000)
    t.same(far.messages, [])
    world.network.heal('client', 'server')
    await world.sleep(10_000)
    t.same(far.messages, ['a', 'b'])
    t.same([near.closed, far.closed], [[], []])
  })
})

t.test(
  'one-way: the deaf side is heard until its window is full, since no acknowledgement comes',
  async t => {
    await withPair(async ({ world, near, far }) => {
      world.network.setLink('client', 'server', { windowBytes: 1000 })
      world.network.cutOneWay('server', 'client')
      far.connection.send([text('unheard')])
      for (let index = 0; index < 5; index++) near.connection.send([new Uint8Array(400)])
      await world.sleep(1000)
      t.equal(far.messages.length, 2)
      t.equal(near.connection.bufferedBytes, 1200)
      t.same(near.messages, [])
      world.network.healAll()
      await world.sleep(10_000)
      t.equal(far.messages.length, 5)
      t.same(near.messages, ['unheard'])
      t.equal(near.connection.bufferedBytes, 0)
    })
  },
)

t.test('the death of a process resets its connections; a new process starts afresh', async t => {
  await withPair(async ({ world, near }) => {
    const { timers } = world.node('server')
    timers.after(5, () => t.fail('a timer of a dead process ran'))
    world.crashProcess('server')
    await world.sleep(100)
    t.equal(near.closed.length, 1)
    t.ok(near.closed[0]?.error)
    const client = world.client('client')
    await refused(t, dial(client, 'ws://server:9000'), /refused/)
    await world.node('server').network.listen(listenOptions('server'))
    await dial(client, 'ws://server:9000')
  })
})

t.test(
  'a machine without power leaves its peer half-open until it is back and hears from it',
  async t => {
    await withPair(async ({ world, near }) => {
      world.powerLoss('server')
      near.connection.send([text('anybody there?')])
      await world.sleep(100_000)
      t.same(near.closed, [])
      await refused(t, dial(world.client('client'), 'ws://server:9000'), /no answer/)
      world.node('server')
      await world.sleep(10_000)
      t.equal(near.closed.length, 1)
    })
  },
)

t.test('pings find a half-open peer, and one that reads nothing', async t => {
  await withPair(async ({ world, far }) => {
    world.powerLoss('client')
    await world.sleep(2500)
    t.equal(far.closed.length, 0)
    await world.sleep(1000)
    t.match(far.closed[0]?.error?.message, /no ping/)
  }, 1500)
  await withPair(async ({ world, near, far }) => {
    await world.sleep(10_000)
    t.equal(far.closed.length, 0)
    near.connection.pause()
    await world.sleep(5000)
    t.equal(far.closed.length, 1)
  }, 1500)
})

t.test('a slow reader fills the buffer of the sender, which drains when it reads on', async t => {
  await withPair(async ({ world, near, far }) => {
    world.network.setLink('client', 'server', { windowBytes: 10_000 })
    far.connection.pause()
    for (let index = 0; index < 30; index++) near.connection.send([new Uint8Array(1000)])
    await world.sleep(1000)
    t.ok(far.messages.length <= 2, 'a few that were read already')
    t.ok(near.connection.bufferedBytes >= 18_000)
    t.equal(near.drains, 0)
    far.connection.resume()
    await world.sleep(1000)
    t.equal(far.messages.length, 30)
    t.equal(near.connection.bufferedBytes, 0)
    t.ok(near.drains >= 1)
  })
})

t.test('a narrow wire takes its time', async t => {
  await withPair(async ({ world, near, far }) => {
    world.network.setLink('client', 'server', { bytesPerMs: 100 })
    const startMs = world.scheduler.nowMs
    near.connection.send([new Uint8Array(100_000)])
    await world.sleep(5000)
    t.ok((far.arrivedMs[0] ?? 0) - startMs >= 1000)
  })
})

t.test('reset cuts every connection between two machines', async t => {
  await withPair(async ({ world, near, far }) => {
    world.network.reset('server', 'client')
    await world.sleep(100)
    t.equal(near.closed.length, 1)
    t.equal(far.closed.length, 1)
  })
})
