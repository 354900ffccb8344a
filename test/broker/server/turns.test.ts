/** Turns: no connection keeps the others waiting, and none gets its messages out of order. */
import t from 'tap'
import { MessageQueue } from '../../../broker/server/message-queue.ts'
import { Turns } from '../../../broker/server/turns.ts'

/** A world in which each message takes as many milliseconds as it has bytes. */
function setUp() {
  const time = { nowMs: 0 }
  const planned: (() => void)[] = []
  const turns = new Turns({
    clock: { wallMs: () => time.nowMs, monotonicMs: () => time.nowMs },
    timers: { after: () => ({ cancel: () => {} }), endOfTurn: run => void planned.push(run) },
  })
  const budget = { heldBytes: 0 }
  const handled: string[] = []
  const changes: string[] = []
  const queue = (name: string): MessageQueue => {
    const own: MessageQueue = new MessageQueue({
      turns,
      hold: bytes => {
        budget.heldBytes += bytes
      },
      handle: ([first]) => {
        time.nowMs += first?.byteLength ?? 0
        handled.push(`${name}${first?.byteLength}`)
      },
      onChange: () => changes.push(`${name} ${own.isEmpty ? 'empty' : 'waits'}`),
    })
    return own
  }
  const nextTurn = (): number => {
    const startMs = time.nowMs
    for (const run of planned.splice(0)) run()
    return time.nowMs - startMs
  }
  return { queue, handled, changes, budget, nextTurn, planned }
}

const message = (ms: number): Uint8Array[] => [new Uint8Array(ms)]

t.test('a connection that has used up its share of the turn waits for the next one', async t => {
  const { queue, handled, changes, budget, nextTurn } = setUp()
  const [busy, calm] = [queue('busy'), queue('calm')]
  for (let i = 0; i < 4; i++) busy.add(message(1))
  calm.add(message(1))
  t.same(handled, ['busy1', 'calm1'], 'a millisecond is a share')
  t.equal(budget.heldBytes, 3, 'what waits is on the receive budget')
  nextTurn()
  t.same(handled.slice(2), ['busy1', 'busy1', 'busy1'])
  t.same(changes, ['busy waits', 'busy empty'])
  t.equal(budget.heldBytes, 0)
})

t.test('those who wait take turns, and a turn ends after about 8 ms of them', async t => {
  const { queue, handled, nextTurn } = setUp()
  const queues = [0, 1, 2, 3, 4].map(number => queue(`${number}:`))
  for (const one of queues) for (let i = 0; i < 5; i++) one.add(message(2))
  handled.length = 0
  t.equal(nextTurn(), 8)
  t.same(handled, ['0:2', '1:2', '2:2', '3:2'])
  t.equal(nextTurn(), 8)
  t.same(handled.slice(4), ['4:2', '0:2', '1:2', '2:2'])
})

t.test('one that waits alone has the whole of the turn', async t => {
  const { queue, handled, nextTurn } = setUp()
  const alone = queue('')
  for (let i = 0; i < 20; i++) alone.add(message(1))
  handled.length = 0
  t.equal(nextTurn(), 8)
})

t.test('who comes while others wait is served at once', async t => {
  const { queue, handled } = setUp()
  const busy = queue('busy')
  for (let i = 0; i < 50; i++) busy.add(message(2))
  queue('late').add(message(1))
  t.same(handled, ['busy2', 'late1'])
})

t.test(
  'messages of one connection keep their order, also those that come while others wait',
  async t => {
    const { queue, handled, nextTurn, planned } = setUp()
    const one = queue('')
    for (const ms of [3, 1, 2]) one.add(message(ms))
    nextTurn()
    one.add(message(4))
    while (planned.length > 0) nextTurn()
    t.same(handled, ['3', '1', '2', '4'])
  },
)
