/** Tests of terminal.ts on streams of their own: what happens when a reader goes away. */
import { Writable } from 'node:stream'
import t from 'tap'
import { errorStream, StandardStream } from '../../../client/cli/terminal.ts'

/** A pipe whose reader is gone: each write fails as the kernel has it. */
const brokenPipe = (): Writable =>
  new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
  })

/** A pipe, and what came out of it. */
function pipe(): { stream: Writable; text: () => string } {
  const parts: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      parts.push(String(chunk))
      done()
    },
  })
  return { stream, text: () => parts.join('') }
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('a reader of stderr that goes away ends nothing while stdout is read', async t => {
  const { stream, text } = pipe()
  const output = new StandardStream(stream)
  const error = errorStream(brokenPipe(), output, () => false)
  error.write('remark')
  await settled()
  error.write('another')
  await settled()
  t.equal(output.closed.aborted, false)
  output.write('answer')
  t.equal(text(), 'answer')
})

t.test('where both go to one pipe, nobody reads stdout either', async t => {
  const { stream, text } = pipe()
  const output = new StandardStream(stream)
  const error = errorStream(brokenPipe(), output, () => true)
  error.write('remark')
  await settled()
  t.equal(output.closed.aborted, true)
  output.write('answer')
  t.equal(text(), '', 'a write is dropped')
  await output.drained()
})
