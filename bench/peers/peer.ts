/**
 * Peer: another broker, or ours, behind the few verbs that all of them have. Types, and the skip.
 *
 * Always true: `send` resolves when the server has confirmed that very record; `read` gives every
 * record of a log once and in order; the class says what a confirmation stands for.
 * Implemented by the files of this folder named like their peer; driven by load.ts and lane.ts.
 */

/**
 * The same for all but the Kafka clients, whose requests are larger. Chosen where no peer was
 * clearly faster with 1 or with 4 MiB when the lane was written; a run does not try others.
 */
export const usualWindowBytes = 2 * 1024 * 1024

/** page = written to the page cache (or, for Redis, to memory); fsync = on disk. */
export type DurabilityClass = 'page' | 'fsync'

export interface PeerServer {
  /** host:port, or a URL. */
  readonly address: string
  /** null where the server is not ours to measure. */
  readonly pid: number | null
  readonly version: string
  /** What a confirmation stands for in this class, in the peer's own words. */
  readonly setting: string
  stop(): Promise<void>
}

export interface PeerReading {
  stop(): Promise<void>
}

export interface PeerClient {
  /** An empty log of one partition. */
  create(log: string): Promise<void>
  /** The bytes may be written over when it resolves. */
  send(log: string, value: Buffer): Promise<unknown>
  /** Resolves when reading has begun: a record sent afterwards is seen. */
  read(
    log: string,
    from: 'start' | 'end',
    onValue: (value: Uint8Array) => void,
  ): Promise<PeerReading>
  delete(log: string): Promise<void>
  close(): Promise<void>
}

export interface ServerOptions {
  readonly durability: DurabilityClass
  /** Empty, removed by the caller. */
  readonly directory: string
  /** Aborting it kills the server. */
  readonly signal: AbortSignal
}

export interface Peer {
  readonly name: string
  /** The client library or code that the figures were taken with. */
  readonly client: string
  /** Unconfirmed bytes of a producer. */
  readonly windowBytes: number
  /**
   * Seconds of streaming that its server gets before the first round, and nobody counts: for one
   * that must warm up for longer than each work does by itself. Default: none.
   */
  readonly warmUpSeconds?: number
  /** @throws Skip where it cannot be had here */
  start(options: ServerOptions): Promise<PeerServer>
  connect(address: string, durability: DurabilityClass): Promise<PeerClient>
}

/** This peer, or this class of it, cannot be measured here: the message says why. */
export class Skip extends Error {}
