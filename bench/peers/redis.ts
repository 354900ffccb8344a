/**
 * Redis Streams as a peer: Debian's redis-server, XADD per record, XREAD to read.
 *
 * Always true: the append-only file is on; `appendfsync always` in the fsync class (one fsync per
 * turn of its loop: a true group commit), `everysec` in the page class, where it confirms from
 * memory. Its file is never rewritten while measured, which would only slow it.
 * Our own client of pipelined-socket.ts; see there.
 */
import {
  type DurabilityClass,
  type Peer,
  type PeerClient,
  type PeerReading,
  type ServerOptions,
  usualWindowBytes,
} from './peer.ts'
import { preparedHead, RedisClient, type Reply } from './redis-client.ts'
import { freePort, programVersion, startServer } from './server-process.ts'

/** Records of one XREAD: more only makes the answers larger than the socket takes at once. */
const readCount = '2000'

const setting: Record<DurabilityClass, string> = {
  page: 'appendfsync everysec (confirms from memory)',
  fsync: 'appendfsync always',
}

class RedisLog implements PeerClient {
  readonly #client: RedisClient
  readonly #address: string
  readonly #heads = new Map<string, string>()

  constructor(client: RedisClient, address: string) {
    this.#client = client
    this.#address = address
  }

  async create(log: string): Promise<void> {
    this.#heads.set(log, preparedHead(['XADD', log, '*', 'v']))
  }

  send(log: string, value: Buffer): Promise<Reply> {
    return this.#client.prepared(this.#heads.get(log) ?? '', value)
  }

  async read(
    log: string,
    from: 'start' | 'end',
    onValue: (value: Uint8Array) => void,
  ): Promise<PeerReading> {
    // A blocking command holds up its connection.
    const client = await RedisClient.open(this.#address)
    let last = from === 'start' ? '0' : await lastId(client, log)
    let isStopped = false
    const loop = async (): Promise<void> => {
      while (!isStopped) {
        const words = ['XREAD', 'COUNT', readCount, 'BLOCK', '100', 'STREAMS', log, last]
        last = giveValues(await client.command(...words), onValue) ?? last
      }
    }
    const done = loop()
    const stop = async (): Promise<void> => {
      isStopped = true
      await done
      client.close()
    }
    return { stop }
  }

  async delete(log: string): Promise<void> {
    await this.#client.command('UNLINK', log)
  }

  async close(): Promise<void> {
    this.#client.close()
  }
}

async function lastId(client: RedisClient, log: string): Promise<string> {
  const newest = await client.command('XREVRANGE', log, '+', '-', 'COUNT', '1')
  const [entry] = newest as Reply[][]
  return String(entry?.[0] ?? '0')
}

/** Hands out the values of an XREAD answer; answers the id of the last one. */
function giveValues(reply: Reply, onValue: (value: Uint8Array) => void): string | null {
  if (reply === null) return null
  const [stream] = reply as Reply[][]
  const entries = stream?.[1] as [Buffer, Buffer[]][]
  for (const [, fields] of entries) onValue(fields[1] as Buffer)
  return String(entries.at(-1)?.[0] ?? '') || null
}

async function start({ durability, directory, signal }: ServerOptions) {
  const version = programVersion('redis-server', 'apt-get install redis-server')
  const port = await freePort()
  const words = ['--port', port, '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  words.push('--appendonly', 'yes', '--auto-aof-rewrite-percentage', 0)
  words.push('--appendfsync', durability === 'fsync' ? 'always' : 'everysec')
  const server = await startServer('redis-server', words.map(String), { port, signal })
  const short = /v=(\S+)/.exec(version)?.[1] ?? version
  return { ...server, address: `127.0.0.1:${port}`, version: short, setting: setting[durability] }
}

export const redis: Peer = {
  name: 'redis',
  client: 'own RESP client, pipelined',
  windowBytes: usualWindowBytes,
  start,
  connect: async address => new RedisLog(await RedisClient.open(address), address),
}
