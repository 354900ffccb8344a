/** Sockets that are no connection: who has been there longest makes room. */
import { EventEmitter } from 'node:events'
import t from 'tap'
import { PendingSockets } from '../../../protocol/transport/pending-sockets.ts'
import { ManualTime } from './fakes.ts'

class FakeSocket extends EventEmitter {
  isDestroyed = false
  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

function setUp(max: number) {
  const time = new ManualTime()
  const dropped: FakeSocket[] = []
  const pending = new PendingSockets<FakeSocket>(max, time, socket => dropped.push(socket))
  const add = (): FakeSocket => {
    const socket = new FakeSocket()
    pending.add(socket)
    return socket
  }
  return { time, pending, dropped, add }
}

t.test('above the limit the one that has been there longest is dropped', async t => {
  const { time, pending, dropped, add } = setUp(3)
  const old = [add(), add(), add()]
  time.advance(2000)
  const young = [add(), add()]
  t.same(
    old.map(socket => socket.isDestroyed),
    [true, true, false],
  )
  t.same(dropped, old.slice(0, 2))
  t.ok(young.every(socket => !socket.isDestroyed))
  t.equal(pending.size, 3)
})

t.test('who came within the last second is never dropped for a newcomer', async t => {
  const { pending, dropped, add } = setUp(3)
  for (let i = 0; i < 1000; i++) add()
  t.equal(dropped.length, 0)
  t.equal(pending.size, 1000)
})

t.test('who came just before the others grew old is young still', async t => {
  const { time, dropped, add } = setUp(3)
  add()
  time.advance(990)
  for (let i = 0; i < 100; i++) add()
  time.advance(20)
  add()
  t.equal(dropped.length, 0)
})

t.test('a socket that became a connection, or is gone, has no place any more', async t => {
  const { time, pending, add } = setUp(3)
  const [first, second] = [add(), add()]
  pending.remove(first)
  second.destroy()
  t.equal(pending.size, 0)
  time.advance(5000)
  t.equal(time.due.size, 0, 'no timer is left')
  add()
  pending.close()
  t.equal(time.due.size, 0)
})
