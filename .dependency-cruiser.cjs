// The layers and doors of the house (DESIGN §3). A type-only import counts like any other.
//
// Floors: a room may import itself and the rooms before it in its list. A folder that is in no list is refused,
// so a new room is a line here. Doors: what belongs to the outside world is imported by the files named, and by
// nobody else. test/ and bench/ may import everything; nothing imports them.
//
// Each rule is proven by a planted violation in test/tidy/violations/.

const brokerFloors = [
  ['world'],
  ['config'],
  ['metrics'],
  ['storage'],
  ['metadata'],
  ['controller'],
  ['security'],
  ['replication'],
  ['coordinator'],
  ['server'],
  ['console'],
  ['index.ts'],
  ['testing'],
  ['cli'],
]

// Rooms on the same floor do not know each other. Files directly in client/ put the rooms together.
const clientFloors = [
  ['types'],
  ['errors'],
  ['config'],
  ['codecs'],
  ['cluster'],
  ['producer', 'consumer', 'admin'],
  ['[^/]+\\.ts'],
  ['cli'],
]

/** Door → the only importers of it in protocol/, client/ and broker/. */
const doors = {
  websocket: ['^ws$|node_modules/(@types/)?ws/', ['protocol/transport/websocket[^/]*\\.ts']],
  http: [
    '^(node:)?(http|https|http2|net|tls|dgram|dns)(/promises)?$',
    ['protocol/transport/[^/]+\\.ts'],
  ],
  files: ['^(node:)?fs(/promises)?$', ['broker/world/[^/]+\\.ts', 'client/cli/terminal\\.ts']],
  processes: ['^(node:)?(child_process|worker_threads|cluster)$', ['broker/world/[^/]+\\.ts']],
  compression: [
    '^(node:)?zlib$|node_modules/(lz4-napi|snappy)/|^(lz4-napi|snappy)$',
    ['protocol/compression/[^/]+\\.ts'],
  ],
  checksum: ['@node-rs/crc32', ['protocol/bytes/crc32c[^/]*\\.ts']],
  'canonical-json': ['fast-json-stable-stringify', ['protocol/bytes/canonical-json\\.ts']],
  'command-line': ['(^|node_modules/(@types/)?)yargs(/|$)', ['(client|broker)/cli/.+\\.ts']],
  validator: ['(^|node_modules/)zod(/|$)', ['broker/config/[^/]+\\.ts']],
  'log-writer': ['(^|node_modules/)pino(/|$)', ['broker/cli/[^/]+\\.ts']],
  metrics: ['(^|node_modules/)prom-client(/|$)', ['broker/metrics/exposition\\.ts']],
  histogram: ['(^|node_modules/)hdr-histogram-js(/|$)', ['client/cli/.+\\.ts']],
}

/** Node's own modules that no door above is for: only in these files. */
const nodeRooms = [
  'protocol/real-world\\.ts',
  'protocol/transport/[^/]+\\.ts',
  'protocol/compression/[^/]+\\.ts',
  'protocol/bytes/crc32c[^/]*\\.ts',
  'broker/world/[^/]+\\.ts',
  'client/cli/terminal\\.ts',
]

const sources = '^(protocol|client|broker)/'
const anyOf = patterns => `^(${patterns.join('|')})`

const doorRules = Object.entries(doors).map(([name, [to, importers]]) => ({
  name: `door-${name}`,
  severity: 'error',
  comment: `Only ${importers.join(', ')} may import this.`,
  from: { path: sources, pathNot: anyOf(importers) },
  to: { path: to },
}))

const everyDoor = Object.values(doors)
  .map(([to]) => `(${to})`)
  .join('|')

/** For each floor but the highest: no import of a room of the same or a higher floor, except of itself. */
function floorRules(top, floors) {
  return floors.slice(0, -1).flatMap((rooms, floor) =>
    rooms.map(room => {
      const allowed = [...floors.slice(0, floor).flat(), room]
      return {
        name: `floor-${top}-${room === '[^/]+\\.ts' ? 'top' : room}`,
        severity: 'error',
        comment: `In ${top}/, an import goes only to a lower floor or inside its own room.`,
        from: { path: `^${top}/${room}(/|$)` },
        to: { path: `^${top}/`, pathNot: `^${top}/(${allowed.join('|')})(/|$)` },
      }
    }),
  )
}

const unknownRoom = (top, floors) => ({
  name: `room-unknown-in-${top}`,
  severity: 'error',
  comment: 'A room is a line in .dependency-cruiser.cjs before it is a folder.',
  from: { path: `^${top}/`, pathNot: `^${top}/(${floors.flat().join('|')})(/|$)` },
  to: {},
})

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Files that import each other cannot be read one at a time.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-found',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: everyDoor },
    },
    {
      name: 'nobody-imports-test',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'nobody-imports-bench',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'protocol-imports-nobody',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(client|broker)/' },
    },
    {
      name: 'client-not-broker',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^broker/' },
    },
    {
      name: 'broker-not-client',
      severity: 'error',
      comment:
        'broker/cli and broker/testing alone may, and only by its front door and its commands.',
      from: { path: '^broker/', pathNot: '^broker/(cli|testing)/' },
      to: { path: '^client/' },
    },
    {
      name: 'client-by-its-front-door',
      severity: 'error',
      from: { path: '^broker/(cli|testing)/' },
      to: { path: '^client/', pathNot: '^client/(index\\.ts$|cli/)' },
    },
    ...floorRules('broker', brokerFloors),
    ...floorRules('client', clientFloors),
    unknownRoom('broker', brokerFloors),
    unknownRoom('client', clientFloors),
    ...doorRules,
    {
      name: 'door-node',
      severity: 'error',
      comment: 'Logic sees Node only through the world.',
      from: { path: sources, pathNot: anyOf(nodeRooms) },
      to: { dependencyTypes: ['core'], pathNot: everyDoor },
    },
    {
      name: 'package-without-door',
      severity: 'error',
      comment: 'A package gets a door in .dependency-cruiser.cjs and a line in the README first.',
      from: { path: sources },
      to: { path: 'node_modules/', pathNot: `${everyDoor}|node_modules/@types/` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/fixtures/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
}
