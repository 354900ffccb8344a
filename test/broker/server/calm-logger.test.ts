/** A storm of equal lines is counted instead of written. */
import t from 'tap'
import { calmLogger } from '../../../broker/server/calm-logger.ts'
import { ManualTime } from '../../../broker/testing/manual-time.ts'
import { realTimers } from '../../../protocol/real-world.ts'

function start() {
  const lines: { level: string; event: unknown; lines?: number; message: string }[] = []
  const at = (level: string) => (values: object, message: string) => {
    lines.push({ level, ...(values as { event: string }), message })
  }
  const time = new ManualTime(0, realTimers)
  const inner = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { lines, time, log: calmLogger(inner, time) }
}

t.test('twenty lines of an event in ten seconds, then how many more there were', async t => {
  const { lines, time, log } = start()
  for (let i = 0; i < 1000; i++) log.warn({ event: 'refused' }, 'no')
  log.warn({ event: 'other' }, 'another event is not held back')
  t.equal(lines.length, 21)
  time.advance(9_999)
  t.equal(lines.length, 21)
  time.advance(1)
  t.match(lines.at(-1), { event: 'lines-held-back', of: 'refused', lines: 980 })
  log.warn({ event: 'refused' }, 'no')
  t.match(lines.at(-1), { event: 'refused' }, 'a new window')
  t.equal(time.waiting, 0, 'no timer without a storm')
})

t.test('errors and debug lines always come', async t => {
  const { lines, log } = start()
  for (let i = 0; i < 100; i++) {
    log.error({ event: 'bad' }, 'x')
    log.debug({ event: 'detail' }, 'x')
  }
  t.equal(lines.length, 200)
})

t.test('what is held back is told when the broker ends, and no timer stays', async t => {
  const { lines, log, time } = start()
  for (let i = 0; i < 25; i++) log.info({}, 'the message names a line without an event')
  log.end()
  t.match(lines.at(-1), { event: 'lines-held-back', lines: 5 })
  t.equal(time.waiting, 0)
})
