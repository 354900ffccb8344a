/**
 * Every limit has a row in the README's table, and every row is true: the file that holds the limit
 * knows it, and the test that proves it exists.
 */
import t from 'tap'
import { brokerOptions } from '../broker/config/broker-config.ts'
import { topicOptions } from '../broker/config/topic-config.ts'
import { limitRows, renderLimitsTable } from './support/limits-table.ts'
import { readSource, sourceFiles } from './support/repository.ts'

const rows = Object.values(limitRows).flat()

/** Names that begin with max and bound nothing that a peer sends or holds. */
const noLimits: Readonly<Record<string, string>> = {
  maxBytesPerCall: 'what the operating system gives in one call',
  maxCanonicalDepth: 'of a key that the program itself makes',
  maxCloseReasonBytes: 'of what we send',
  maxDrainMs: 'how long a stopping broker waits',
  maxDriftMs: 'between two clocks',
  maxEpoch: 'of a number in a file',
  maxFetchesPerBroker: 'of what the SDK sends',
  maxBadAnswers: 'tries of the SDK',
  maxHeaderBytes: 'of answers; that of requests is a setting',
  maxInFlightAtFirst: 'until hello has told the setting',
  maxNesting: 'of a file of the operator',
  maxParallelPartitions: 'of our own work',
  maxPassedOver: 'of our own work',
  maxRecordBytes: 'of a batch that the SDK builds',
  maxRelativeOffset: 'of a number in a file',
  maxReplicasPerPartition: 'one is all there is yet',
  maxStepBytes: 'of one write',
  maxStoredNesting: 'of a file that this broker wrote',
  maxTimerMs: 'of a number',
  maxTopicPartitions: 'of a setting of the operator',
}

t.test('every row names a test that exists and a file that knows the limit', async t => {
  for (const { limit, file, known, test, proof } of rows) {
    t.ok(readSource(file).includes(known), `${limit}: ${known} in ${file}`)
    t.ok(readSource(test).includes(`'${proof}'`), `${limit}: '${proof}' in ${test}`)
  }
})

t.test('every setting that limits has a row', async t => {
  const settings = [...Object.values(brokerOptions), ...Object.values(topicOptions)]
  const limiting = settings.map(({ name }) => name).filter(name => /^max\.|timeout\.ms$/.test(name))
  t.ok(limiting.length > 10)
  const named = rows.map(({ limit }) => limit)
  t.same(
    limiting.filter(name => !named.includes(name)),
    [],
  )
})

t.test('every constant of protocol, broker and SDK that is called max… has a row', async t => {
  const files = sourceFiles().filter(
    path => /^(protocol|broker|client)\//.test(path) && !/\/cli\//.test(path),
  )
  const declared = files.flatMap(path =>
    [...readSource(path).matchAll(/^(?:export )?const (max[A-Z]\w*) *=/gm)].map(
      ([, name = '']) => name,
    ),
  )
  t.ok(declared.length > 20)
  const named = [...rows.map(({ known }) => known), ...Object.keys(noLimits)]
  t.same(
    declared.filter(name => !named.includes(name)),
    [],
    'none is missing',
  )
  t.same(
    Object.keys(noLimits).filter(name => !declared.includes(name)),
    [],
    'none is excused that is not there',
  )
})

t.test('no limit is named twice, and each row of the table is one line', async t => {
  const names = rows.map(({ limit }) => limit)
  t.same(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
  t.equal(renderLimitsTable().split('\n').length, rows.length + 2)
})
