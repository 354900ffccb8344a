/** Every line that the broker logs has a name of the table, and every name a line. */
import t from 'tap'
import { type LogEvent, logEvents } from '../../../broker/world/log-events.ts'
import { filesUnder, readSource } from '../../support/repository.ts'

const files = filesUnder('broker', /\.ts$/).filter(
  path =>
    !/world\/(logger|log-events)\.ts$|cli\/broker-log\.ts$|server\/calm-logger\.ts$/.test(path),
)
const call = /\b(?:logger|#logger)\.(?:debug|info|warn|error)(?:\?\.)?\(/g

t.test('each line that is logged carries an event', async t => {
  for (const path of files) {
    const source = readSource(path)
    for (const { index } of source.matchAll(call)) {
      // in the call, or in the values that were put together just before it
      const around = source.slice(Math.max(0, index - 450), index + 120)
      t.match(around, /\bevent\b/, `${path}, line ${source.slice(0, index).split('\n').length}`)
    }
  }
})

t.test('the events of the lines are those of the table', async t => {
  const used = new Set<string>()
  for (const path of [...files, 'broker/server/calm-logger.ts']) {
    const source = readSource(path)
    for (const [, name = ''] of source.matchAll(/\b(?:event:|LogEvent =) '([a-z-]+)'/g))
      used.add(name)
    for (const [, yes = '', no = ''] of source.matchAll(/event = [^\n]*\? '(.+?)' : '(.+?)'/g)) {
      used.add(yes).add(no)
    }
  }
  const known = Object.keys(logEvents) as LogEvent[]
  t.same([...used].sort(), [...known].sort())
})
