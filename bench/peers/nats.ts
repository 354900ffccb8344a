/**
 * NATS JetStream as a peer: one stream with file storage, one publish with its confirmation per
 * record, read by pull requests that overlap.
 *
 * Always true: no headers, no deduplication ids, one replica; `sync_interval: always` in the fsync
 * class, which servers before 2.10 (Debian 12 has 2.9) do not know: a Skip. The default of the page
 * class fsyncs every two minutes.
 * Our own client of pipelined-socket.ts; see there.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Message, NatsClient } from './nats-client.ts'
import {
  type DurabilityClass,
  type Peer,
  type PeerClient,
  type PeerReading,
  type ServerOptions,
  Skip,
  usualWindowBytes,
} from './peer.ts'
import { freePort, programVersion, startServer } from './server-process.ts'

const setting: Record<DurabilityClass, string> = {
  page: 'default sync_interval, two minutes',
  fsync: 'sync_interval: always',
}
const pullBatch = 2000
/** Pull requests under way, so that the server always has one. */
const pulls = 3

class NatsLog implements PeerClient {
  readonly #client: NatsClient
  readonly #address: string

  constructor(client: NatsClient, address: string) {
    this.#client = client
    this.#address = address
  }

  async create(log: string): Promise<void> {
    const config = { name: log, subjects: [log], storage: 'file', retention: 'limits' }
    await ask(this.#client, `STREAM.CREATE.${log}`, { ...config, num_replicas: 1 })
  }

  async send(log: string, value: Buffer): Promise<void> {
    const answer = await this.#client.request(log, value)
    // Text is looked at, for parsing JSON per record would be the client's cost, not the server's.
    if (!answer.includes('"seq":')) throw new Error(`not stored: ${answer}`)
  }

  async read(
    log: string,
    from: 'start' | 'end',
    onValue: (value: Uint8Array) => void,
  ): Promise<PeerReading> {
    const client = await NatsClient.open(this.#address)
    const policy = from === 'start' ? 'all' : 'new'
    const config = { ack_policy: 'none', deliver_policy: policy, replay_policy: 'instant' }
    const made = await ask(client, `CONSUMER.CREATE.${log}`, {
      stream_name: log,
      config: { ...config, mem_storage: true },
    })
    const { name } = made as { name: string }
    const inbox = `deliver.${process.pid}.${name}`
    const next = `$JS.API.CONSUMER.MSG.NEXT.${log}.${name}`
    const request = Buffer.from(JSON.stringify({ batch: pullBatch, expires: 30_000_000_000 }))
    let open = 0
    const onMessage = ({ headers, payload }: Message): void => {
      if (headers.startsWith('NATS/1.0 4')) open = 0
      else if (headers === '' || !headers.startsWith('NATS/1.0 1')) {
        open--
        onValue(payload)
      }
      for (; open <= (pulls - 1) * pullBatch; open += pullBatch) {
        client.publish(next, request, inbox)
      }
    }
    await client.subscribe(inbox, onMessage)
    for (; open < pulls * pullBatch; open += pullBatch) client.publish(next, request, inbox)
    const stop = async (): Promise<void> => {
      // Or it would wait for its reader beside the next one for some seconds.
      await ask(client, `CONSUMER.DELETE.${log}.${name}`, {})
      client.close()
    }
    return { stop }
  }

  async delete(log: string): Promise<void> {
    await ask(this.#client, `STREAM.DELETE.${log}`, {})
  }

  async close(): Promise<void> {
    this.#client.close()
  }
}

async function ask(client: NatsClient, api: string, body: object): Promise<object> {
  const payload = Buffer.from(JSON.stringify(body))
  const answer = JSON.parse(String(await client.request(`$JS.API.${api}`, payload)))
  if (answer.error !== undefined) throw new Error(`${api}: ${JSON.stringify(answer.error)}`)
  return answer
}

/** @throws Skip where the server does not know the setting */
function writeConfig(program: string, { durability, directory }: ServerOptions): string {
  const file = join(directory, 'nats.conf')
  const sync = durability === 'fsync' ? ', sync_interval: always' : ''
  writeFileSync(file, `jetstream { store_dir: "${directory}"${sync} }\n`)
  try {
    execFileSync(program, ['-t', '-c', file], { stdio: 'pipe' })
  } catch {
    throw new Skip(`${program} knows no sync_interval: 2.10 or later, by --nats-server PATH`)
  }
  return file
}

/** `program`: a nats-server, by name or path. */
export function natsPeer(program: string): Peer {
  return {
    name: 'nats',
    client: 'own NATS client, pipelined',
    windowBytes: usualWindowBytes,
    start: async options => {
      const version = programVersion(program, 'apt-get install nats-server')
      const file = writeConfig(program, options)
      const port = await freePort()
      const words = ['-c', file, '-a', '127.0.0.1', '-p', String(port)]
      const server = await startServer(program, words, { port, signal: options.signal })
      const address = `127.0.0.1:${port}`
      const short = /v(\d\S*)/.exec(version)?.[1] ?? version
      return { ...server, address, version: short, setting: setting[options.durability] }
    },
    connect: async address => new NatsLog(await NatsClient.open(address), address),
  }
}
