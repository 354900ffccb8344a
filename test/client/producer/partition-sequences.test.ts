/** Ids, epochs and sequences at their ends. */
import t from 'tap'
import { PartitionSequences } from '../../../client/producer/partition-sequences.ts'
import { setUp } from '../../support/client-setup.ts'

t.test('after epoch 32767 a new producer id is taken', async t => {
  const { world } = await setUp(t)
  const sequences = new PartitionSequences(7, world.random)
  const epochs: number[] = []
  for (let epoch = 0; epoch <= 32_767; epoch++) {
    const { producerId, producerEpoch, baseSequence } = sequences.peek()
    if (producerId === 7 && baseSequence === 0) epochs.push(producerEpoch)
    sequences.stale = true
  }
  t.equal(epochs.length, 32_768)
  t.ok(epochs.every((epoch, i) => epoch === i))
  const next = sequences.peek()
  t.not(next.producerId, 7)
  t.ok(next.producerId >= 0 && next.producerId < 2 ** 52)
  t.equal(next.producerEpoch, 0)
})

t.test('sequences wrap from 2^31 - 1 to 0', async t => {
  const { world } = await setUp(t)
  const sequences = new PartitionSequences(7, world.random)
  sequences.advance(2 ** 31 - 3)
  t.equal(sequences.peek().baseSequence, 2 ** 31 - 3)
  sequences.advance(3)
  t.equal(sequences.peek().baseSequence, 0)
  sequences.advance(2 ** 31 - 1)
  sequences.advance(4)
  t.equal(sequences.peek().baseSequence, 3)
})
