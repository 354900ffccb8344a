/** The reader of Redis replies: whatever the chunks, the same replies come out. */
import t from 'tap'
import { type Reply, ReplyReader } from '../../../bench/peers/redis-client.ts'

const wire = Buffer.from(
  '+OK\r\n:42\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n*0\r\n-ERR no\r\n:-7\r\n' +
    '*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nv\r\n$2\r\n\r\n\r\n' +
    '*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nv\r\n$0\r\n\r\n',
)
const replies = [
  ...['OK', 42, 'hello', null, null, [], 'error: ERR no', -7],
  [
    [
      's',
      [
        ['1-0', ['v', '\r\n']],
        ['2-0', ['v', '']],
      ],
    ],
  ],
]

function plain(reply: Reply): unknown {
  if (reply instanceof Error) return `error: ${reply.message}`
  if (Buffer.isBuffer(reply)) return String(reply)
  return Array.isArray(reply) ? reply.map(plain) : reply
}

/** As PipelinedSocket feeds it: what was not used comes again with the next chunk. */
function readIn(chunkBytes: number): unknown[] {
  const reader = new ReplyReader()
  const seen: unknown[] = []
  let rest = Buffer.alloc(0)
  for (let at = 0; at < wire.length; at += chunkBytes) {
    const bytes = Buffer.concat([rest, wire.subarray(at, at + chunkBytes)])
    reader.begin(bytes)
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      seen.push(plain(reply))
    }
    rest = bytes.subarray(reader.used)
  }
  return seen
}

t.test('replies come out whole and in order, in chunks of any size', async t => {
  for (let chunkBytes = 1; chunkBytes <= wire.length; chunkBytes++) {
    t.strictSame(readIn(chunkBytes), replies, `chunks of ${chunkBytes}`)
  }
})
