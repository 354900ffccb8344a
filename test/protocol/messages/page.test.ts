/** The protocol page is what the schemas say, and its examples are frames that both sides accept. */
import t from 'tap'
import { openCompression } from '../../../protocol/compression/compression.ts'
import { decodeFrame } from '../../../protocol/frame.ts'
import { type ApiName, apis } from '../../../protocol/messages/apis.ts'
import { checkMessage, type Shape } from '../../../protocol/messages/define.ts'
import { checkProducedBatch } from '../../../protocol/records/batch-header.ts'
import { readRecords } from '../../../protocol/records/record-reader.ts'
import { protocolExamples } from '../../support/protocol-examples.ts'
import {
  exampleFrames,
  helloLimits,
  pagePath,
  renderProtocolPage,
} from '../../support/protocol-page.ts'
import { readSource } from '../../support/repository.ts'

const page = readSource(pagePath)
const names = Object.keys(apis) as ApiName[]

t.test('the page is what the schemas say now (else: npm run docs)', async t => {
  t.equal(page, renderProtocolPage())
})

/** The bytes that the page shows for an api. */
function shownBytes(name: ApiName): Uint8Array {
  const [, hex = ''] = new RegExp(`\`\`\`hex ${name}\\n([0-9a-f\\n]+)\`\`\``).exec(page) ?? []
  return new Uint8Array(Buffer.from(hex.replaceAll('\n', ''), 'hex'))
}

t.test(
  'the bytes on the page decode to the request beside them, which the broker takes',
  async t => {
    for (const name of names) {
      const { header, bodies } = decodeFrame([shownBytes(name)], 1e6)
      const { id, api, v, body, ...request } = header
      t.same([id, api, v], [7, name, apis[name].versions[1]])
      t.same(request, protocolExamples[name].request, name)
      checkMessage(apis[name].request as Shape, header)
      t.same(
        body ?? [],
        bodies.map(one => one.byteLength),
      )
      t.ok(page.includes(JSON.stringify(header)), `${name}: the header is shown as JSON too`)
    }
  },
)

t.test('the answers of the examples pass the check of a client', async t => {
  for (const name of names) {
    const { header } = decodeFrame(exampleFrames(name).response, 1e6)
    checkMessage(apis[name].response as Shape, header)
    t.ok(page.includes(JSON.stringify(header)), name)
  }
})

t.test('the body of the produce example is a batch that the broker appends', async t => {
  const [body] = decodeFrame([shownBytes('produce')], 1e6).bodies
  const batch = body?.slice() ?? new Uint8Array(0)
  t.equal(checkProducedBatch(batch).recordCount, 2)
  const records = readRecords(batch, await openCompression())
  t.same(
    [...records].map(({ value }) => Buffer.from(value ?? []).toString()),
    ['{"id":1}', '{"id":2}'],
  )
})

t.test('every api, field, error code and limit is on it', async t => {
  for (const name of names) {
    t.match(page, `\n## ${name}\n`)
    t.match(page, apis[name].about)
    for (const code of apis[name].errors) t.match(page, `\`${code}\``)
  }
  for (const limit of helloLimits) t.match(page, `\`limits.${limit}\``)
  t.match(page, '`partitions[].abortedTransactions[].firstOffset`')
})
