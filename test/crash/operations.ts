/**
 * Operations: the steps of which the crash lane builds its workloads.
 *
 * Always true: each has a letter of its own, so a workload is a word: `arct` appends, appends to a
 * full segment, writes a checkpoint and trims.
 * Called by workloads.ts and explore.ts.
 */
import type { Machine } from './machine.ts'
import { segmentMs } from './storage-node.ts'

export interface Operation {
  readonly letter: string
  readonly name: string
  /** It begins only when those before it have ended, and ends before the next. */
  readonly waits: boolean
  /** Without any call to the disk it has changed nothing at all. */
  readonly mayBeIdle: boolean
  run(machine: Machine): Promise<void>
}

const done = (machine: Machine): Promise<void> =>
  machine.settles ? machine.settle() : Promise.resolve()

const step = (
  letter: string,
  name: string,
  run: (machine: Machine) => unknown,
  { mayBeIdle = false, waits = false } = {},
): Operation => ({
  letter,
  name,
  mayBeIdle,
  waits,
  run: async machine => {
    await run(machine)
    await done(machine)
  },
})

export const operations: readonly Operation[] = [
  step('a', 'append one batch', m => m.append()),
  step('b', 'append three batches in one round', m => {
    m.append({ records: 2, valueBytes: 60 })
    m.append({ valueBytes: 200, idempotent: true })
    m.append({ valueBytes: 130 })
  }),
  step('p', 'an idempotent batch, sent twice', async m => {
    const batch = m.append({ records: 2, valueBytes: 90, idempotent: true })
    m.repeat(batch.slice())
    await done(m)
    m.repeat(batch)
  }),
  step('r', 'append to a segment that is full', m => {
    m.skip(segmentMs)
    m.append({ valueBytes: 100 })
  }),
  step('i', 'roll without an append', async m => {
    m.skip(segmentMs)
    await m.tick()
  }),
  step('c', 'checkpoint of the recovery point', m => m.tick(), { mayBeIdle: true }),
  step('t', 'trim to the middle (delete-records)', m => m.trim(), { mayBeIdle: true }),
  step('d', 'retention deletes the sealed segments', m => m.retain(), { mayBeIdle: true }),
  step('f', 'change flush', m => m.toggleFlush()),
  step(
    'x',
    'a disk without room, then the batch again',
    async m => {
      const before = m.disk.before
      let isFull = true
      m.disk.before = operation => {
        const fault = before?.(operation)
        const hit = isFull && operation.name === 'write' && operation.path.endsWith('.log')
        if (hit) isFull = false
        return hit ? 'short' : fault
      }
      m.append({ valueBytes: 90, idempotent: true })
      await m.settle()
      m.disk.before = before
      // Beside other steps one pass may have looked at the disk too early.
      await m.tick()
      await m.tick()
      m.append({ valueBytes: 90, idempotent: true })
    },
    { waits: true },
  ),
  step('z', 'stop cleanly and start', m => m.restart(), { waits: true }),
  step('k', 'die and start', m => m.killAndRestart(), { waits: true }),
  step(
    'n',
    'delete the topic and create it again',
    async m => {
      await m.deleteTopic()
      await m.createTopic()
    },
    { waits: true },
  ),
]

const byLetter = new Map(operations.map(operation => [operation.letter, operation]))

/** @throws Error for a letter that is none */
export function operationsOf(word: string): Operation[] {
  return [...word].map(letter => {
    const operation = byLetter.get(letter)
    if (operation === undefined) throw new Error(`no operation is called "${letter}"`)
    return operation
  })
}
