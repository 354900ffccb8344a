/**
 * The world as both sides see it: time, timers, chance, messages over a network, compression.
 * Broker and SDK logic reach the outside only through these interfaces, so the very same code runs
 * on the real machine (`real-world.ts`) and in the deterministic simulator (`test/simulation/`).
 *
 * Always true: nothing here keeps state between two worlds; one process may hold many. Called by
 * everything; implemented by real-world.ts, transport/websocket.ts, compression/ and the simulator.
 */

/** Two clocks that never mix: wall time may jump, monotonic time only grows. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z, an integer; may jump in either direction. */
  wallMs(): number
  /** Milliseconds since an arbitrary start, with fractions; never goes back. */
  monotonicMs(): number
}

export interface TimerHandle {
  /** Idempotent; after it the callback never runs. */
  cancel(): void
}

export interface Timers {
  /**
   * Runs `run` once after `delayMs` (clamped to 0…2^31-1). A `background` timer does not keep a
   * finished process alive.
   */
  after(delayMs: number, run: () => void, options?: { background?: boolean }): TimerHandle
  /** Runs `run` when the current turn of the event loop has handled all its input. */
  endOfTurn(run: () => void): void
}

export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number
  /** Uniform integer of `bits` bits, 1…52. */
  bits(bits: number): number
  /** `length` random bytes, fit for identifiers. */
  bytes(length: number): Uint8Array
}

/** One message-oriented, ordered, reliable connection: a WebSocket, or the simulator's stand-in. */
export interface Connection {
  /** `address:port` of the peer, for logs and limits per address. */
  readonly peer: string
  /**
   * Bytes accepted by `send` and not yet handed to the operating system. */
  readonly bufferedBytes: number
  /**
   * What a message that is not whole yet costs in memory: its bytes, what lies in one read of the
   * socket with them, and something for each piece that it came in.
   */
  readonly receivingBytes: number
  /** Bytes that the operating system has taken off our hands so far; grows as the peer reads. */
  readonly takenBytes: number
  /**
   * Sends one binary message made of `parts`, in order. The parts must not change until `onFlushed`
   * ran. After the connection closed this does nothing (`onFlushed` still runs).
   */
  send(parts: readonly Uint8Array[], onFlushed?: () => void): void
  /**
   * What was sent leaves now and not at the end of the turn, in which more might join it. For
   * whoever has something to do in this turn while the peer works on it.
   */
  flush(): void
  /** Stops and restarts reading; a few messages already read may still arrive after `pause`. */
  pause(): void
  resume(): void
  /** Orderly close with a WebSocket close code (1000, 1002, 1008, 1009, 1013, 4000–4999). */
  close(code: number, reason: string): void
  /** Drops the connection at once. */
  terminate(): void
}

export interface ConnectionEvents {
  /**
   * One whole message. How the sender split it into parts is not meaningful; an empty message is
   * `[]`. The receiver owns the bytes. A small part may be a view of a larger buffer: copy before
   * keeping it.
   */
  onMessage(parts: Uint8Array[]): void
  /** A text frame, which Sluice's protocol never uses. */
  onText(): void
  /** Room again: `bufferedBytes` fell to zero after having been above it. */
  onDrain(): void
  /**
   * More of a large message (128 KiB and more) has arrived and it is not whole yet: what
   * `receivingBytes` says has grown.
   */
  onReceiving?(): void
  /** Exactly once, last. `error` is the cause where there was one. */
  onClose(closed: { code: number; reason: string; error?: Error }): void
}

export interface DialOptions {
  readonly url: string
  readonly subprotocol: string
  readonly maxMessageBytes: number
  readonly timeoutMs: number
}

export interface ListenOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly subprotocol: string
  readonly maxMessageBytes: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Time for a socket to finish its HTTP request; default 10 s. */
  readonly handshakeTimeoutMs?: number
  /**
   * Sockets that are no connection (yet); default 256. Above it the one that has been there longest
   * is dropped.
   */
  readonly maxPendingSockets?: number
  /** A peer that answers no ping for two intervals is dropped; 0 = never ping. */
  readonly pingIntervalMs: number
  /** Browser origins that may connect; a request without `Origin` always may. */
  readonly allowedOrigins: readonly string[]
  /** Accepted `Host` names on a loopback bind besides the loopback ones (DNS rebinding). */
  readonly allowedHosts: readonly string[]
  onConnection(connection: Connection): ConnectionEvents
  /** Asked before each connection: why nobody may connect now; null = welcome, as without it. */
  refuseNow?(): string | null
  /** A plain HTTP request (GET/HEAD only) on the same port. */
  onHttp(path: string): HttpAnswer | Promise<HttpAnswer>
  /** A connection refused before it became one, with the reason, for the log. */
  onRefused(reason: string, peer: string): void
}

export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Listening {
  readonly host: string
  readonly port: number
  /** Stops accepting; open connections are left alone. */
  stopAccepting(): void
  /** Ends everything that is still open; resolves when the port is free. */
  close(): Promise<void>
}

export interface Network {
  /**
   * Opens a connection. Resolves when the subprotocol is agreed.
   * @throws SluiceError NETWORK_ERROR (refused, reset, timed out), PROTOCOL_MISMATCH (not a Sluice
   * broker).
   */
  dial(
    options: DialOptions,
    attach: (connection: Connection) => ConnectionEvents,
  ): Promise<Connection>
  /** @throws SluiceError PORT_TAKEN, BAD_LISTEN_ADDRESS */
  listen(options: ListenOptions): Promise<Listening>
}

/** Kafka's codecs; the number is the low three bits of a batch's attributes. */
export const compressionCodecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CompressionCodec = (typeof compressionCodecs)[number]

export interface Compression {
  /** Whether this process can read / write the codec. */
  canRead(codec: CompressionCodec): boolean
  canWrite(codec: CompressionCodec): boolean
  /** @throws SluiceError UNSUPPORTED_COMPRESSION_TYPE, naming the package that is missing */
  compress(codec: CompressionCodec, bytes: Uint8Array): Uint8Array
  /**
   * @throws SluiceError UNSUPPORTED_COMPRESSION_TYPE; CORRUPT_MESSAGE where the bytes are not the
   * codec's or would grow beyond `maxBytes`
   */
  decompress(codec: CompressionCodec, bytes: Uint8Array, maxBytes: number): Uint8Array
}

/** What the SDK needs of the world; the broker adds Disk and Process (`broker/world/`). */
export interface World {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly network: Network
  readonly compression: Compression
}
