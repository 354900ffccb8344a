/**
 * Durable journal: the smallest system that has to get every part of the simulator right: a client
 * sends numbered records, a server writes them to one file and acks what it has synced.
 *
 *   client ── base, count ──> server: write, sync ── next ──> client
 *
 * Always true of the server without a planted bug: what was acked is there, in order, after any of
 * them.
 * Called by index.ts; its test plants each bug and sees it found, which proves that the simulator
 * bites.
 */
import type { DiskFile } from '../../../broker/world/disk.ts'
import type { BrokerWorld } from '../../../broker/world/world.ts'
import type { Connection, ConnectionEvents, World } from '../../../protocol/world.ts'
import { loseEverything } from '../power-loss.ts'
import type { Scenario } from '../scenario.ts'
import type { SimWorld } from '../sim-world.ts'
import { kindsOf, makeTrouble, type TroubleKind } from '../trouble.ts'

export type JournalBug =
  | 'acks before the sync'
  | 'does not sync the directory'
  | 'trusts what it reads after a failed sync'
  | 'trusts a record without looking at its checksum'
  | 'reuses a buffer before it was flushed'

const recordBytes = 32
const target = 8000
const path = '/data/journal'
/** Power goes twice as often. */
const kinds: readonly TroubleKind[] = [
  'crash',
  'power',
  'power',
  'cut',
  'deaf',
  'reset',
  'eio',
  'full',
  'slow',
  'clock',
  'none',
]

export function durableJournal(bug?: JournalBug): Scenario {
  return {
    name: 'durable-journal',
    faults: kindsOf(kinds),
    deadlineMs: 600_000,
    run: async world => {
      const client = new JournalClient(world.client('client'))
      startServer(world, bug)
      const chaos = disturb(world, bug, client)
      await client.sendAll()
      await chaos
      world.powerLoss('server', loseEverything)
      const kept = await new JournalServer(world.node('server'), undefined).recover()
      if (kept < client.acked) throw new Error(`${client.acked} records acked, ${kept} kept`)
    },
  }
}

function startServer(world: SimWorld, bug: JournalBug | undefined): void {
  void new JournalServer(world.node('server'), bug).serve()
}

/** Trouble until the client is done, for a second or two, then peace. */
function disturb(world: SimWorld, bug: JournalBug | undefined, client: JournalClient) {
  return makeTrouble(world, {
    server: 'server',
    client: 'client',
    kinds,
    maxRounds: 30,
    calmMs: 40,
    troubleMs: 30,
    isOver: () => client.isDone,
    start: () => startServer(world, bug),
  })
}

class JournalServer {
  readonly #world: BrokerWorld
  readonly #bug: JournalBug | undefined
  readonly #reply = new Uint8Array(4)
  #file: DiskFile | undefined
  #next = 0
  #queue: Promise<void> = Promise.resolve()

  constructor(world: BrokerWorld, bug: JournalBug | undefined) {
    this.#world = world
    this.#bug = bug
  }

  async serve(): Promise<void> {
    try {
      await this.recover()
    } catch (error) {
      this.#world.process.die('recovery failed', error)
    }
    await this.#world.network.listen({
      host: 'server',
      port: 9000,
      subprotocol: 'journal',
      maxMessageBytes: 1024 * 1024,
      maxConnections: 10,
      maxConnectionsPerAddress: 10,
      pingIntervalMs: 500,
      allowedOrigins: [],
      allowedHosts: [],
      onConnection: connection => this.#welcome(connection),
      onHttp: () => ({ status: 404, contentType: 'text/plain', body: '' }),
      onRefused: () => {},
    })
  }

  /** Cuts the file to its valid records, makes them durable and returns their number. */
  async recover(): Promise<number> {
    const { disk } = this.#world
    await disk.makeDirectory('/data')
    await disk.syncDirectory('/')
    const isNew = (await disk.stat(path)) === null
    const file = await disk.open(path, isNew ? 'create' : 'update')
    this.#file = file
    if (this.#bug !== 'does not sync the directory') await disk.syncDirectory('/data')
    const bytes = await file.read(0, await file.size())
    this.#next = this.#validRecords(bytes)
    const valid = bytes.subarray(0, this.#next * recordBytes)
    // Rule S1: what a failed sync lost is still readable; only written to new blocks it is durable.
    if (this.#bug !== 'trusts what it reads after a failed sync') await this.#writeAnew(file, valid)
    else await file.truncate(valid.length)
    await this.#file.sync()
    return this.#next
  }

  async #writeAnew(old: DiskFile, content: Uint8Array): Promise<void> {
    const { disk } = this.#world
    await disk.removeFile(`${path}.new`)
    const file = await disk.open(`${path}.new`, 'create')
    const written = await file.write([content], 0)
    if (written < content.length) throw new Error('the disk is full')
    await file.sync()
    await disk.rename(`${path}.new`, path)
    if (this.#bug !== 'does not sync the directory') await disk.syncDirectory('/data')
    this.#file = file
    await old.close()
  }

  #validRecords(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const records = Math.floor(bytes.length / recordBytes)
    if (this.#bug === 'trusts a record without looking at its checksum') return records
    for (let index = 0; index < records; index++) {
      if (!isRecord(view, index * recordBytes, index)) return index
    }
    return records
  }

  #welcome(connection: Connection): ConnectionEvents {
    // Behind what is being written: a number that is told counts as acked.
    this.#queue = this.#queue.then(() => connection.send([numbers(this.#next)]))
    return {
      ...silent,
      onMessage: parts => {
        this.#queue = this.#queue.then(() => this.#append(connection, whole(parts)))
      },
    }
  }

  async #append(connection: Connection, message: Uint8Array): Promise<void> {
    const view = new DataView(message.buffer, message.byteOffset, message.length)
    const base = view.getUint32(0)
    const count = view.getUint32(4)
    const file = this.#file
    if (file === undefined || base !== this.#next) return connection.close(4000, 'not the next')
    this.#next += count
    if (this.#bug === 'acks before the sync') connection.send([numbers(this.#next)])
    try {
      const written = await file.write([records(base, count)], base * recordBytes)
      if (written < count * recordBytes) throw new Error('the disk is full')
      await file.sync()
    } catch (error) {
      this.#world.process.die('a write failed', error)
      return
    }
    this.#ack(connection)
  }

  #ack(connection: Connection): void {
    if (this.#bug !== 'reuses a buffer before it was flushed') {
      connection.send([numbers(this.#next)])
      return
    }
    this.#reply.set(numbers(this.#next))
    connection.send([this.#reply])
    this.#reply.fill(0)
  }
}

class JournalClient {
  acked = 0
  /** Counts the waits for an answer, so that an old one does not end a new connection. */
  #waits = 0
  readonly #world: World
  #done: () => void = () => {}

  constructor(world: World) {
    this.#world = world
  }

  get isDone(): boolean {
    return this.acked >= target
  }

  sendAll(): Promise<void> {
    return new Promise(resolve => {
      this.#done = resolve
      void this.#connect()
    })
  }

  async #connect(): Promise<void> {
    const options = { url: 'ws://server:9000', subprotocol: 'journal', maxMessageBytes: 100 }
    try {
      const dial = { ...options, timeoutMs: 300 }
      const connection = await this.#world.network.dial(dial, connection => ({
        ...silent,
        onMessage: parts => this.#answered(connection, whole(parts)),
        onClose: () => this.#again(),
      }))
      this.#expectAnswer(connection)
    } catch {
      this.#again()
    }
  }

  #again(): void {
    if (!this.isDone) this.#world.timers.after(20, () => void this.#connect())
  }

  #answered(connection: Connection, message: Uint8Array): void {
    const next = new DataView(message.buffer, message.byteOffset).getUint32(0)
    if (next < this.acked) throw new Error(`record ${next} is gone: ${this.acked} were acked`)
    this.acked = next
    if (this.isDone) {
      this.#done()
      return
    }
    connection.send([numbers(next, 1 + this.#world.random.bits(6))])
    this.#expectAnswer(connection)
  }

  /** A half-open connection never answers and never closes by itself. */
  #expectAnswer(connection: Connection): void {
    const before = ++this.#waits
    this.#world.timers.after(500, () => {
      if (this.#waits === before) connection.terminate()
    })
  }
}

const silent = { onMessage: () => {}, onText: () => {}, onDrain: () => {}, onClose: () => {} }

function records(base: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * recordBytes)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < count; index++) {
    view.setUint32(index * recordBytes, base + index)
    view.setUint32(index * recordBytes + 28, checksum(base + index))
  }
  return bytes
}

function isRecord(view: DataView, at: number, number: number): boolean {
  return view.getUint32(at) === number && view.getUint32(at + 28) === checksum(number)
}

function checksum(number: number): number {
  return Math.imul(number + 1, 0x9e3779b1) >>> 0
}

function numbers(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => {
    view.setUint32(index * 4, value)
  })
  return bytes
}

function whole(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}
