/**
 * Attacks by well-formed requests: too many, too costly, never answered, or answers that nobody
 * takes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { batchOf } from '../../support/test-broker.ts'
import { type Attack, type AttackTarget, during, openMany, openSocket, settle } from './attack.ts'
import { HostileSocket } from './hostile-socket.ts'

/** A fetch of everything that the topic holds. */
function fetchFields(target: AttackTarget, over: object = {}): object {
  const entry = { topic: target.topic, topicId: target.topicId, offset: 0, maxBytes: 2 ** 30 }
  const partitions = Array.from({ length: target.partitions }, (_, partition) => ({
    ...entry,
    partition,
    ...over,
  }))
  return { maxWaitMs: 0, minBytes: 1, maxBytes: 2 ** 30, isolation: 'uncommitted', partitions }
}

/** The offset that the next record of the topic's first partition gets, as far as it is known. */
async function endOffset({ topic, topicId, ...target }: AttackTarget): Promise<number> {
  const asker = openSocket({ topic, topicId, ...target })
  await asker.greet()
  const at = 'latest'
  asker.request('list-offsets', { partitions: [{ topic, topicId, partition: 0, at }] })
  await asker.until(() => asker.answers === asker.requests)
  const [answer] = (asker.lastHeader['partitions'] ?? []) as { offset?: number }[]
  asker.reset()
  return answer?.offset ?? 0
}

/** The same request with ids 0, 1, 2, … as one run of bytes. */
function runOf(count: number, request: (id: number) => object): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, id) => HostileSocket.requestBytes({ id, ...request(id) })),
  )
}

/** Small requests as fast as they can be written, answers read. */
export const requestFlood: Attack = async target => {
  const kinds = ['metadata', 'no-such-api', 'hello']
  const many = runOf(500, id => ({
    id: id + 10,
    api: kinds[id % kinds.length],
    topics: ['victim'],
    client: { software: '', id: '' },
  }))
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(many))))
  return settle(sockets)
}

/** Metadata of every topic, again and again: a small request, a large answer. */
export const metadataStorm: Attack = async target => {
  const many = runOf(200, id => ({ id: id + 10, api: 'metadata' }))
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(many))))
  return settle(sockets)
}

/** Lookups by time, which read and unpack batches. */
export const lookupStorm: Attack = async target => {
  const at = { topic: target.topic, topicId: target.topicId, partition: 0 }
  const question = { ...at, at: 'timestamp', timestamp: 1 }
  const sockets = await openMany(target, target.count, socket => socket.greet())
  const partitions = [question, question]
  await during(target.holdMs, async () => {
    for (const socket of sockets) {
      while (socket.isOpen && socket.requests - socket.answers < 4) {
        socket.request('list-offsets', { partitions })
      }
    }
    await sleep(5)
  })
  return settle(sockets)
}

/** Fetches of everything, over and over, and not a byte read. */
export const unreadFetches: Attack = async target => {
  const many = runOf(50, id => ({ id: id + 10, api: 'fetch', ...fetchFields(target) }))
  const sockets = await openMany(target, target.count, async socket => {
    await socket.greet()
    socket.socket.pause()
    await socket.write(many, 200)
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** Long polls with the largest headers, woken together, their answers unread. */
export const unreadLongPolls: Attack = async target => {
  const padding = 'x'.repeat(900_000)
  const fields = { ...fetchFields(target, { offset: 0 }), minBytes: 2 ** 30, maxWaitMs: 300 }
  const sockets = await openMany(target, target.count, async socket => {
    await socket.greet()
    socket.socket.pause()
    for (let id = 0; id < 10; id++) {
      const request = { id: id + 10, api: 'fetch', padding, ...fields }
      await socket.write(HostileSocket.requestBytes(request), 50)
    }
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** Long polls by the thousand: each waits for bytes that never come. */
export const longPolls: Attack = async target => {
  const wait = { minBytes: 2 ** 30, maxWaitMs: 300_000 }
  // From its end: what is there of older records is an estimate where they are not cached.
  const offset = await endOffset(target)
  const many = runOf(100, id => ({
    id: id + 10,
    api: 'fetch',
    ...fetchFields(target, { offset }),
    ...wait,
  }))
  const sockets = await openMany(target, target.count, async socket => {
    await socket.greet()
    await socket.write(many)
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** More requests at a time than are allowed. */
export const tooManyInFlight: Attack = async target => {
  const fields = { ...fetchFields(target), minBytes: 2 ** 30, maxWaitMs: 300_000 }
  const many = runOf(2000, id => ({ id: id + 10, api: 'fetch', ...fields }))
  const sockets = await openMany(target, target.count, async socket => {
    await socket.greet()
    await socket.write(many)
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** Headers that list a great many empty bodies, or hold a great many small values, and then wait. */
export const swollenHeaders: Attack = async target => {
  const fields = { ...fetchFields(target), minBytes: 2 ** 30, maxWaitMs: 300_000 }
  const sockets = await openMany(target, target.count, async (socket, index) => {
    await socket.greet()
    for (let id = 10; id < 22 && socket.isOpen; id++) {
      const swelling =
        index % 2 === 0
          ? { body: new Array(300_000).fill(0) }
          : { unknown: new Array(200_000).fill([]) }
      const request = { id, api: 'fetch', ...fields, ...swelling }
      await socket.write(HostileSocket.requestBytes(request))
    }
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** One fetch that names the same partition a great many times, waiting for it. */
export const repeatedPartitions: Attack = async target => {
  const { topic, topicId } = target
  const entry = { topic, topicId, partition: 0, offset: 0, maxBytes: 1 }
  const fields = { minBytes: 2 ** 30, maxWaitMs: 300_000, maxBytes: 2 ** 30 }
  const partitions = new Array(5000).fill(entry)
  const sockets = await openMany(target, target.count, async socket => {
    await socket.greet()
    for (let id = 10; id < 20 && socket.isOpen; id++) {
      const request = { id, api: 'fetch', ...fields, isolation: 'uncommitted', partitions }
      await socket.write(HostileSocket.requestBytes(request))
    }
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** Topics by the thousand. */
export const topicStorm: Attack = async target => {
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await Promise.all(
    sockets.map(async (socket, index) => {
      const endMs = performance.now() + target.holdMs
      for (let round = 0; performance.now() < endMs && socket.isOpen; round++) {
        const topics = Array.from({ length: 20 }, (_, i) => ({
          name: `storm-${index}-${round}-${i}`,
          partitions: target.partitions,
        }))
        const before = socket.answers
        socket.request('create-topics', { topics })
        await Promise.race([socket.until(() => socket.answers > before), sleep(5000)])
      }
    }),
  )
  return settle(sockets)
}

/** Large batches without an answer wanted, faster than the disk. */
export const produceFlood: Attack = async target => {
  const { topic, topicId } = target
  const header = { id: 10, api: 'produce', acks: 'none', timeoutMs: 1000 }
  const body = batchOf('x'.repeat(1_000_000))
  const request = { ...header, partitions: [{ topic, topicId, partition: 0 }] }
  const bytes = HostileSocket.requestBytes(request, [body])
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(bytes))))
  let kept = 0
  for (let tries = 0; tries < 100 && kept < target.count; tries++) {
    kept = await endOffset(target)
    await sleep(20)
  }
  const verdicts = await settle(sockets)
  verdicts.add('records kept', kept)
  return verdicts
}

/** Connections that answer no ping. */
export const noPong: Attack = async target => {
  // This hand-made peer never answers one.
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await sleep(target.holdMs)
  return settle(sockets)
}
