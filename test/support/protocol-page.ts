/**
 * Protocol page: protocol/README.md as a whole, made from the message schemas.
 *
 * Always true: the same schemas give the same page; what the page says of fields, types, versions,
 * errors and bytes is read from what the broker checks by.
 * Called by write-docs.ts and by the test that compares.
 */
import { encodeFrame, maxHeaderNesting, subprotocol } from '../../protocol/frame.ts'
import { type ApiName, apis } from '../../protocol/messages/apis.ts'
import { type Api, commonErrors, type Field, type Shape } from '../../protocol/messages/define.ts'
import { hello } from '../../protocol/messages/hello.ts'
import { type Example, protocolExamples } from './protocol-examples.ts'

export const pagePath = 'protocol/README.md'

interface Row {
  readonly path: string
  readonly field: Field<unknown>
}

/** Every field with its path: `partitions[].error.code`. */
function rowsOf(shape: Shape, prefix = ''): Row[] {
  return Object.entries(shape).flatMap(([name, field]) => {
    const path = `${prefix}${name}`
    const isList = field.type.startsWith('a list')
    const nested = field.fields === undefined ? [] : rowsOf(field.fields, nestedPath(path, isList))
    return [{ path, field }, ...nested]
  })
}

const nestedPath = (path: string, isList: boolean): string => `${path}${isList ? '[]' : ''}.`

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ')

/** The fields of an item's error are the same everywhere, and are shown once. */
const isInError = (path: string): boolean => /(^|\.)error\./.test(path)

function fieldTable(shape: Shape, withErrors = false): string[] {
  const rows = rowsOf(shape).filter(({ path }) => withErrors || !isInError(path))
  if (rows.length === 0) return ['No fields.']
  return [
    '| field | type | |',
    '|---|---|---|',
    ...rows.map(({ path, field }) => {
      const mark = field.optional ? '?' : ''
      return `| \`${path}\`${mark} | ${cell(shortType(field.type))} | ${cell(field.about)} |`
    }),
  ]
}

/** The largest safe integer is no limit that anybody would want to read. */
const shortType = (type: string): string =>
  type
    .replace(/ from 0 to 9007199254740991$/, ' from 0')
    .replace(/ from (-?\d+) to 9007199254740991$/, ' from $1')

/** Bytes as hexadecimal, 32 in a line. */
export function hexLines(parts: readonly Uint8Array[]): string[] {
  const hex = Buffer.concat(parts).toString('hex')
  return hex.match(/.{1,64}/g) ?? []
}

const fence = (language: string, lines: readonly string[]): string[] => [
  `\`\`\`${language}`,
  ...lines,
  '```',
]

/** Frames of an example: request 7 of its connection. */
export function exampleFrames(name: ApiName): { request: Uint8Array[]; response: Uint8Array[] } {
  const example = protocolExamples[name] as Example<ApiName>
  const [, v] = apis[name].versions
  return {
    request: encodeFrame({ id: 7, api: name, v, ...example.request }, example.requestBodies),
    response: encodeFrame({ id: 7, ...example.response }, example.responseBodies),
  }
}

function exampleOf(name: ApiName): string[] {
  const {
    request,
    response,
    requestBodies = [],
    responseBodies = [],
  } = protocolExamples[name] as Example<ApiName>
  const lengths = (bodies: readonly Uint8Array[]): object =>
    bodies.length === 0 ? {} : { body: bodies.map(body => body.byteLength) }
  const [, v] = apis[name].versions
  const frames = exampleFrames(name)
  return [
    'An exchange, and the request as bytes:',
    '',
    ...fence('json', [
      JSON.stringify({ id: 7, api: name, v, ...request, ...lengths(requestBodies) }),
      JSON.stringify({ id: 7, ...response, ...lengths(responseBodies) }),
    ]),
    ...fence(`hex ${name}`, hexLines(frames.request)),
  ]
}

function versionsText([lowest, highest]: readonly [number, number]): string {
  return lowest === highest ? `Version ${lowest}.` : `Versions ${lowest} to ${highest}.`
}

function apiSection(name: ApiName): string[] {
  const api: Api<Shape, Shape> = apis[name]
  const codes = api.errors.map(code => `\`${code}\``).join(', ')
  return [
    `## ${name}`,
    '',
    `${api.about} ${versionsText(api.versions)} Errors: ${codes || 'only the common ones'}.`,
    '',
    '**Request**',
    '',
    ...fieldTable(api.request),
    ...bodyText(api.bodies?.request),
    '',
    '**Response**',
    '',
    ...fieldTable(api.response),
    ...bodyText(api.bodies?.response),
    '',
    ...exampleOf(name),
    '',
  ]
}

const bodyText = (about: string | undefined): string[] =>
  about === undefined ? [] : ['', `Bodies: ${about}`]

const head = `# The protocol

Made by \`npm run docs\` from \`protocol/messages/\`; a test fails when it is stale. This page
is for those who write a client or a tool of their own; \`sluice/protocol\` exports the same
schemas, \`encodeFrame\`, \`decodeFrame\` and the batch codec.

## Connection

WebSocket, subprotocol \`${subprotocol}\`, binary messages only, no compression of messages. A
request is answered by a response with the same \`id\`; many may be under way, and answers come
in any order. Per partition, batches are appended in the order in which their requests were sent
on one connection. The first request is \`hello\`; its answer tells the limits. The broker
pings; a peer that answers none for two intervals is dropped. Codes with which the broker
closes: 1002 the message is no frame, or breaks a rule of the connection; 1008 no hello in time,
or a message in too many pieces, or too many pings; 1009 a message or header above its limit; 1013
the broker stops (its reason says so), or needs the memory of answers that are not taken or of
messages that do not become whole: come again later, and then take answers or ask for less.

## Frame

\`\`\`
u32 length of the header, big-endian | header: a JSON object, UTF-8 | body 0 | body 1 | …
\`\`\`

\`header.body\` lists the lengths of the bodies; without it there are none. The bodies end where
the message ends. A header nests at most ${maxHeaderNesting} deep. A request is \`{id, api, v,
…}\`: \`id\` an integer from 0 that is not in use on the connection, \`api\` a name from below,
\`v\` one of its versions. A response is \`{id, …}\`, or \`{id, error}\` where the request
failed as a whole. Fields that a reader does not know are to be ignored; a field that is missing
or of the wrong type is INVALID_REQUEST with its path. \`?\` marks fields that may be absent.
Text is counted in UTF-16 code units. All numbers are integers that a double holds exactly,
unless "finite number" is said.

## Errors

Any request may meet ${commonErrors.map(code => `\`${code}\``).join(', ')}. The table of all
codes is in the README of the package; a code that a client does not know is to be treated by its
\`retriable\` and \`maybeApplied\`. An error of one partition or topic stands in its entry of the
answer, and the others are not affected.

`

const batch = `
## Record batch

Bodies of produce and fetch are record batches in Apache Kafka's format version 2. The broker
checks the CRC, gives out offsets, and changes nothing but the first field and
\`partitionLeaderEpoch\`, which the CRC does not cover.

| at | bytes | field |
|---|---|---|
| 0 | 8 | \`baseOffset\`; a producer sends 0 |
| 8 | 4 | \`batchLength\`, what follows this field |
| 12 | 4 | \`partitionLeaderEpoch\` |
| 16 | 1 | \`magic\`, always 2 |
| 17 | 4 | \`crc\`, CRC-32C of everything after it |
| 21 | 2 | \`attributes\`: bits 0–2 codec, 3 timestamp type, 4 transactional, 5 control |
| 23 | 4 | \`lastOffsetDelta\` |
| 27 | 8 | \`baseTimestamp\`, milliseconds since 1970 |
| 35 | 8 | \`maxTimestamp\` |
| 43 | 8 | \`producerId\`, −1 = not idempotent |
| 51 | 2 | \`producerEpoch\` |
| 53 | 4 | \`baseSequence\` |
| 57 | 4 | number of records |
| 61 | | the records, compressed together where there is a codec |

The codecs are 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. A record is: length (zigzag varint),
attributes (1 byte, 0), timestamp delta (varlong), offset delta (varint), key length (varint, −1
= null), key, value length (varint, −1 = null), value, number of headers (varint), and for each
header its key (length and UTF-8) and value (length and bytes, −1 = null).
`

function errorFields(): string[] {
  const item: Shape | undefined = apis.produce.response.partitions.fields
  const error = item?.error
  if (error?.fields === undefined) throw new Error('no error in the answer of produce')
  return fieldTable(error.fields, true)
}

export function renderProtocolPage(): string {
  const names = Object.keys(apis) as ApiName[]
  const rows = names.map(name => {
    const { about, versions } = apis[name]
    return `| [${name}](#${name}) | ${versions.join('–')} | ${about} |`
  })
  return [
    `${head}${errorFields().join('\n')}`,
    '',
    '## Apis',
    '',
    '| api | versions | |',
    '|---|---|---|',
    ...rows,
    '',
    ...names.flatMap(apiSection),
  ]
    .join('\n')
    .concat(batch)
}

/** What hello tells of the limits, for the test that they are all on the page. */
export const helloLimits: string[] = Object.keys(hello.response.limits.fields ?? {})
