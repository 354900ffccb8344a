/**
 * Client: connect() and what it gives, in types alone. The class is client/client.ts.
 *
 * Always true: a closed client rejects every call with CLOSED and owns no timer.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { Admin } from './administering.ts'
import type { CallOptions, Logger, ReconnectOptions } from './calls.ts'
import type { Consumer, ConsumerOptions } from './consuming.ts'
import type { ProducerOptions, Topic, TopicOptions } from './producing.ts'

export interface ConnectOptions {
  /** `ws://host:port`, one or several; the rest of the cluster is learned. */
  readonly servers: string | readonly string[]
  readonly clientId?: string
  /** Time for the first connection, all attempts together. Default 10_000. */
  readonly connectTimeoutMs?: number
  /** Time for one request. Default 30_000. */
  readonly requestTimeoutMs?: number
  /** Metadata older than this is fetched anew. Default 30_000. */
  readonly metadataMaxAgeMs?: number
  readonly reconnect?: ReconnectOptions
  readonly producer?: ProducerOptions
  /** How long close() waits for unsent records. Default 30_000. */
  readonly closeTimeoutMs?: number
  readonly logger?: Logger
  /** Aborts connecting; after that, closes the client. */
  readonly signal?: AbortSignal
}

export type ClientStatus =
  | { type: 'connected'; broker: number; url: string }
  | { type: 'reconnecting'; url: string; attempt: number; cause: SluiceError }
  | { type: 'truncated'; topic: string; partition: number; position: number }
  | { type: 'closed' }

export interface Client {
  readonly clusterId: string
  readonly admin: Admin
  topic<K = Uint8Array, V = Uint8Array>(name: string, options?: TopicOptions<K, V>): Topic<K, V>
  consumer<K = Uint8Array, V = Uint8Array>(options: ConsumerOptions<K, V>): Consumer<K, V>
  /** What happens to the connections, from now on; ends on close(). */
  status(): AsyncIterable<ClientStatus>
  /** Resolves when every record given so far is acked or rejected. */
  flush(options?: CallOptions): Promise<void>
  /**
   * Flushes within closeTimeoutMs, rejects what is left with CLOSED, ends consumers and
   * connections. Idempotent.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
