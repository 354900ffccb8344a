/** Closed loop: the window is kept, every answer is waited for, a failure ends it. */
import t from 'tap'
import { closedLoop } from '../../../bench/support/closed-loop.ts'

const never = Number.POSITIVE_INFINITY

/** Answers the oldest call every second turn, so that calls pile up. */
function slowServer() {
  const waiting: (() => void)[] = []
  let most = 0
  let isEven = false
  const tick = (): void => {
    isEven = !isEven
    if (isEven) waiting.shift()?.()
    if (waiting.length > 0) setImmediate(tick)
  }
  const send = (): Promise<void> =>
    new Promise(resolve => {
      if (waiting.push(resolve) === 1) setImmediate(tick)
      most = Math.max(most, waiting.length)
    })
  return { send, most: () => most, open: () => waiting.length }
}

t.test('no more calls than the window are unanswered, and all are answered', async t => {
  const { send, most, open } = slowServer()
  const { answered } = await closedLoop({ window: 7, burst: 3, count: 100, endMs: never, send })
  t.equal(answered, 100)
  t.equal(open(), 0)
  t.equal(most(), 7)
})

t.test('with a window of one each call waits for the one before', async t => {
  const order: string[] = []
  let calls = 0
  const send = async (): Promise<void> => {
    const call = calls++
    order.push(`begin ${call}`)
    await Promise.resolve()
    order.push(`end ${call}`)
  }
  await closedLoop({ window: 1, count: 3, endMs: never, send })
  t.strictSame(order, ['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2'])
})

t.test('nothing is sent after the end, and the first failure is thrown', async t => {
  const send = () => Promise.reject(new Error('refused'))
  t.strictSame((await closedLoop({ window: 2, endMs: 0, send })).answered, 0)
  await t.rejects(closedLoop({ window: 2, endMs: never, send }), /refused/)
})
