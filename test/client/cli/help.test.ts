/** The reference pages: each row of the error table says what it means, whether to retry, what to do. */
import t from 'tap'
import { errorAdvice } from '../../../client/cli/error-advice.ts'
import { type ErrorCode, errorTable } from '../../../protocol/errors.ts'
import { sluice } from './fake-terminal.ts'

t.test('each code has a page with meaning, retry and what to do', async t => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    t.match(errorAdvice[code], /^[A-Z].{10,}\.$/, code)
    t.ok(errorAdvice[code].length <= 90, code)
  }
  const { code, terminal } = await sluice(['help', 'errors', 'DISK_FULL'])
  t.equal(code, 0)
  t.match(terminal.text, errorTable.DISK_FULL.meaning)
  t.match(terminal.text, errorAdvice.DISK_FULL)
  t.match(terminal.text, /retriable +yes/)
  t.match((await sluice(['help', 'errors', 'INVALID_TOPIC'])).terminal.text, /retriable +no/)
})

t.test("a code is found in any case, with dashes, and by Kafka's number", async t => {
  for (const word of ['disk_full', 'disk-full', 'Disk-Full']) {
    t.match((await sluice(['help', 'errors', word])).terminal.text, /^DISK_FULL /)
  }
  t.match((await sluice(['help', 'errors', '10', '-j'])).terminal.json, [
    { code: 'MESSAGE_TOO_LARGE', kafkaCode: 10, retriable: false },
  ])
})

t.test('a code that does not exist is refused with the nearest one', async t => {
  const near = await sluice(['help', 'errors', 'MESSAGE_TO_LARGE'])
  t.equal(near.code, 2)
  t.match(near.terminal.error, 'hint: nearest: MESSAGE_TOO_LARGE')
  const far = await sluice(['help', 'errors', 'qqqqqqqqqqqqqqqqq'])
  t.equal(far.code, 2)
  t.match(far.terminal.error, 'hint: sluice help errors lists them')
})

t.test('without a code all rows are listed, and wide ones say what to do', async t => {
  const count = Object.keys(errorTable).length
  t.equal((await sluice(['help', 'errors'])).terminal.lines.length, count + 1)
  const wide = await sluice(['help', 'errors', '--output', 'wide'])
  t.match(wide.terminal.text, errorAdvice.THROTTLED)
})
