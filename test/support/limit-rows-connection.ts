/**
 * Limit rows of connections: what is held against who connects and who sends.
 *
 * Put into the table by limits-table.ts.
 */
import { maxFrameBodies, maxHeaderNesting } from '../../protocol/frame.ts'
import { largeBytes, leastMaxFragments } from '../../protocol/transport/fragments.ts'
import { maxHttpHeaderBytes, maxRequestsPerSocket } from '../../protocol/transport/http-door.ts'
import { maxChunks, maxPendingPongs } from '../../protocol/transport/websocket.ts'
import { maxControlFrames } from '../../protocol/transport/websocket-connection.ts'
import {
  bytes,
  constant,
  type LimitRow,
  option,
  server,
  serverTest,
  transport,
  transportTest,
} from './limit-row.ts'

export const connectionLimits: readonly LimitRow[] = [
  option('maxConnections', {
    file: `${transport}/websocket-listen.ts`,
    beyond: 'HTTP 503',
    test: `${transportTest}/websocket-listen.test.ts`,
    proof: 'the limit of all connections is kept',
  }),
  option('maxConnectionsPerAddress', {
    file: `${transport}/websocket-listen.ts`,
    beyond: 'HTTP 503',
    test: `${transportTest}/websocket-listen.test.ts`,
    proof: 'the limit of connections per address is kept, and a closed one makes room',
  }),
  option('maxPendingSockets', {
    file: `${transport}/http-door.ts`,
    beyond: 'the oldest socket is cut off',
    test: `${transportTest}/pending-sockets.test.ts`,
    proof: 'above the limit the one that has been there longest is dropped',
  }),
  option('handshakeTimeoutMs', {
    file: `${transport}/http-door.ts`,
    beyond: 'HTTP 408',
    test: `${transportTest}/websocket-listen.test.ts`,
    proof: 'a peer that never finishes its request is dropped',
  }),
  option('helloTimeoutMs', {
    file: `${server}/session.ts`,
    beyond: 'close 1008',
    test: `${serverTest}/limits.test.ts`,
    proof: 'a connection that never says hello is closed in time, one that did is not',
  }),
  option('pingIntervalMs', {
    file: `${transport}/websocket-listen.ts`,
    beyond: 'cut off after two silent intervals',
    test: `${transportTest}/websocket-listen.test.ts`,
    proof: 'a peer that answers no ping is dropped; one that answers is not',
  }),
  constant('maxHttpHeaderBytes', bytes(maxHttpHeaderBytes), {
    file: `${transport}/http-door.ts`,
    beyond: 'HTTP 431',
    test: `${transportTest}/websocket-listen.test.ts`,
    proof: 'a head larger than 16 KiB is refused with 431',
  }),
  constant('maxRequestsPerSocket', maxRequestsPerSocket, {
    file: `${transport}/http-door.ts`,
    beyond: 'cut off',
    test: `${transportTest}/hostile-bytes.test.ts`,
    proof: 'a socket with too many plain requests in a row is closed',
  }),
]

export const messageLimits: readonly LimitRow[] = [
  option('maxFrameBytes', {
    file: `${server}/listener.ts`,
    beyond: 'close 1009',
    test: `${transportTest}/websocket.test.ts`,
    proof: 'a message over the limit closes the connection with 1009 and harms no other',
  }),
  option('maxHeaderBytes', {
    file: `${server}/session.ts`,
    beyond: 'close 1009, FRAME_TOO_LARGE',
    test: 'test/protocol/frame.test.ts',
    proof: 'a header over the limit is FRAME_TOO_LARGE, whether or not it is there',
  }),
  constant('maxHeaderNesting', maxHeaderNesting, {
    file: 'protocol/frame.ts',
    beyond: 'close 1002',
    test: 'test/protocol/frame.test.ts',
    proof: 'nesting is limited before JSON is parsed, and brackets in text do not count',
  }),
  constant('maxFrameBodies', maxFrameBodies, {
    file: 'protocol/frame.ts',
    beyond: 'close 1002',
    test: 'test/protocol/frame.test.ts',
    proof: 'the number of bodies is limited, and empty ones cost nothing',
  }),
  constant('maxFragmentsOf', `${leastMaxFragments}, or 2 per ${largeBytes / 1024} KiB`, {
    file: `${transport}/fragments.ts`,
    beyond: 'close 1008',
    test: `${transportTest}/hostile-bytes.test.ts`,
    proof: 'a message in more fragments than allowed is refused, not collected',
  }),
  constant('maxChunks', maxChunks, {
    file: `${transport}/websocket.ts`,
    beyond: 'close 1008',
    test: `${transportTest}/hostile-bytes.test.ts`,
    proof: 'pieces of a message count as what they cost, control frames as nothing',
  }),
  constant('maxControlFrames', maxControlFrames, {
    file: `${transport}/websocket-connection.ts`,
    beyond: 'close 1008',
    test: `${transportTest}/hostile-bytes.test.ts`,
    proof: 'more control frames in a turn than anybody needs close the connection',
  }),
  constant('maxPendingPongs', maxPendingPongs, {
    file: `${transport}/websocket.ts`,
    beyond: 'cut off',
    test: `${transportTest}/pending-pongs.test.ts`,
    proof: 'a peer that takes no pongs may be owed sixty, at the next ping it is cut off',
  }),
]
