/**
 * What a broker asked of its disk before it answered: a real trace holds, and made-up ones that do
 * not are seen.
 */
import t from 'tap'
import { missing } from './needs.ts'
import { parseTrace } from './strace.ts'
import { checkOrder } from './syscall-order.ts'
import { traceCalls } from './syscalls.ts'

t.test('no ack, no name and no deletion comes before what it promises', async t => {
  const reason = await missing(['strace'])
  if (reason !== null) return t.pass('calls are traced', { skip: reason })
  const facts = await traceCalls(700, 1)
  t.ok(facts.acks > 0, `${facts.acks} acks were preceded by their fdatasync`)
  t.ok(facts.rolls > 0, `${facts.rolls} new segments had a durable name`)
})

const hex = (text: string | Buffer): string =>
  `"${[...Buffer.from(text)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`

const log = '/d/t-0/00000000000000000000.log'
const next = '/d/t-0/00000000000000000005.log'
const escaped = (path: string): string => hex(path).slice(1, -1)

/** A batch's first bytes. */
function head(baseOffset: number): Buffer {
  const bytes = Buffer.alloc(61)
  bytes.writeBigInt64BE(BigInt(baseOffset))
  return bytes
}

const write = (path: string, content: string | Buffer): string =>
  `1 pwrite64(20<${escaped(path)}>, ${hex(content)}, 61, 0) = 61`
const sync = (path: string, result = '0'): string => `1 fdatasync(20<${escaped(path)}>) = ${result}`
const named = (path: string): string => `1 fsync(21<${escaped(path)}>) = 0`
const made = (path: string): string =>
  `1 openat(AT_FDCWD<${escaped('/')}>, ${hex(path)}, O_RDWR|O_CREAT|O_EXCL, 0644) = 20`
const rename = (from: string, to: string): string => `1 rename(${hex(from)}, ${hex(to)}) = 0`
const answer = (text: string): string =>
  `2 writev(9<${escaped('socket:[1]')}>, [{iov_base=${hex(text)}, iov_len=9}], 1) = 9`
const ack = (offset: number): string =>
  answer(`{"partition":0,"topicId":"x","baseOffset":${offset},"reached":"fsynced"}`)

const check = (...lines: readonly string[]) => checkOrder(parseTrace(lines.join('\n')), 't')

t.test('an ack needs a sync of its file that began after its write and was good', async t => {
  t.match(check(write(log, head(0)), sync(log), ack(0)), { acks: 1, writes: 1, syncs: 1 })
  const early = /ack of offset 0 in t-0 left before an fdatasync/
  t.throws(() => check(write(log, head(0)), ack(0), sync(log)), early)
  t.throws(() => check(sync(log), write(log, head(0)), ack(0)), early)
  t.throws(() => check(write(log, head(0)), sync(next), ack(0)), early)
  t.throws(() => check(write(log, head(0)), sync(log, '-1 EIO'), ack(0)), early)
  t.throws(() => check(write(log, head(0)), sync(log), ack(1)), /nothing that was written/)
  const [begun, ended] = [
    `1 fdatasync(20<${escaped(log)}> <unfinished ...>`,
    '1 <... fdatasync resumed>) = 0',
  ]
  t.throws(() => check(begun, write(log, head(0)), ended, ack(0)), early)
  t.throws(() => check(write(log, head(0)), begun, ack(0), ended), early)
  check(write(log, head(0)), begun, ended, ack(0))
})

t.test('the first ack of a new segment needs a durable name', async t => {
  const roll = [made(next), write(next, head(5)), sync(next)]
  t.match(check(...roll, named('/d/t-0'), ack(5)), { rolls: 1 })
  const nameless = /left before the new segment had a durable name/
  t.throws(() => check(...roll, ack(5), named('/d/t-0')), nameless)
  t.throws(() => check(named('/d/t-0'), ...roll, ack(5)), nameless)
  t.throws(() => check(...roll, named('/d'), ack(5)), nameless)
})

t.test(
  'a file is synced before it replaces another, and named before a topic is answered',
  async t => {
    const [from, to] = ['/d/catalogue.tmp', '/d/catalogue']
    const created = answer('{"topics":[{"name":"t","replicationFactor":1}]}')
    const good = [write(from, 'x'), sync(from), rename(from, to), named('/d'), created]
    t.match(check(...good), { replacements: 1, topicsMade: 1 })
    t.throws(() => check(write(from, 'x'), rename(from, to)), /renamed before it was synced/)
    t.throws(() => check(...good.slice(0, 3), created), /no durable name before it was answered/)
  },
)

t.test('a segment is unlinked after a checkpoint that no longer needs it is durable', async t => {
  const [from, to] = ['/d/log-checkpoint.tmp', '/d/log-checkpoint']
  const gone = `1 unlink(${hex(log)}) = 0`
  const checkpoint = (partition: number, start: number): string[] => [
    write(from, `{"partition":${partition},"logStartOffset":${start}}`),
    ...[sync(from), rename(from, to), named('/d')],
  ]
  t.match(check(...checkpoint(0, 5), gone), { segmentsRemoved: 1 })
  const early = /unlinked before the log start was durable/
  t.throws(() => check(gone, ...checkpoint(0, 5)), early)
  t.throws(() => check(...checkpoint(0, 0), gone), early)
  t.throws(() => check(...checkpoint(1, 5), gone), early)
  t.throws(() => check(...checkpoint(0, 5).slice(0, 3), gone), early)
})
