/**
 * Errors: every failure that crosses an API or the wire is a row of this one table.
 *
 * Always true: a code's `retriable` is the table's and never depends on the occasion;
 * `maybeApplied` says whether a write may have happened all the same. Kafka's number is kept where
 * Kafka has the error. Thrown everywhere; `sluice help errors` and the README print the table.
 */

interface Row {
  /** Kafka's error number, or null where Kafka has no such error. */
  readonly kafkaCode: number | null
  /**
   * The same request may succeed later without anybody changing anything but the cluster's state.
   */
  readonly retriable: boolean
  readonly meaning: string
}

const row = (kafkaCode: number | null, retriable: boolean, meaning: string): Row => ({
  kafkaCode,
  retriable,
  meaning,
})

export const errorTable = {
  // topics and partitions
  UNKNOWN_TOPIC_OR_PARTITION: row(3, true, 'This broker has no such topic or partition.'),
  UNKNOWN_TOPIC_ID: row(
    100,
    false,
    'The topic id is not the one of the topic that now has this name.',
  ),
  TOPIC_ALREADY_EXISTS: row(36, false, 'A topic of this name exists.'),
  INVALID_TOPIC: row(17, false, 'The topic name is not a legal one.'),
  INVALID_PARTITIONS: row(37, false, 'The number of partitions is out of range.'),
  INVALID_REPLICATION_FACTOR: row(38, false, 'There are not that many brokers.'),
  INVALID_CONFIG: row(40, false, 'A topic setting is unknown or its value is out of range.'),
  NOT_LEADER_OR_FOLLOWER: row(6, true, 'This broker does not lead the partition.'),
  LEADER_NOT_AVAILABLE: row(5, true, 'The partition has no leader at the moment.'),
  KAFKA_STORAGE_ERROR: row(56, true, 'The partition cannot be used: its files were found damaged.'),
  // records
  CORRUPT_MESSAGE: row(
    2,
    false,
    'The bytes are not a valid record batch, or their checksum is wrong.',
  ),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: row(43, false, 'The batch is not of format version 2.'),
  MESSAGE_TOO_LARGE: row(10, false, 'The batch is larger than max.message.bytes.'),
  INVALID_RECORD: row(87, false, 'A record or batch breaks a rule of the topic or the format.'),
  INVALID_TIMESTAMP: row(32, false, 'A timestamp is out of range.'),
  UNSUPPORTED_COMPRESSION_TYPE: row(76, false, 'The codec is not available in this process.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: row(
    45,
    false,
    'Batches of this producer before this one are missing.',
  ),
  DUPLICATE_SEQUENCE_NUMBER: row(
    46,
    false,
    'The batch was stored long ago; its offset is no longer known.',
  ),
  INVALID_PRODUCER_EPOCH: row(47, false, 'A newer epoch of this producer id has taken over.'),
  UNKNOWN_PRODUCER_ID: row(59, false, 'No state of this producer is left in the partition.'),
  PRODUCER_LIMIT_REACHED: row(
    null,
    true,
    'The partition tracks as many active producers as it may.',
  ),
  OFFSET_OUT_OF_RANGE: row(1, false, 'The offset is below the log start or beyond the log end.'),
  INVALID_FETCH: row(null, false, 'The fetch asks for something that cannot be.'),
  POLICY_VIOLATION: row(44, false, 'The topic or broker does not allow this.'),
  // outcome and load
  REQUEST_TIMED_OUT: row(7, true, 'No answer within the deadline.'),
  DELIVERY_TIMEOUT: row(null, false, 'The record could not be delivered within deliveryTimeoutMs.'),
  DISK_FULL: row(null, true, 'The disk has no room for writes; reads go on.'),
  THROTTLED: row(null, true, 'The broker holds as many unfinished writes as it may.'),
  BUFFER_FULL: row(null, true, 'The producer buffer stayed full for the whole delivery timeout.'),
  NOT_ENOUGH_REPLICAS: row(19, true, 'Too few replicas are in sync; nothing was written.'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: row(20, true, 'Written, but too few replicas confirmed it.'),
  ABORTED: row(null, false, 'The caller aborted the call.'),
  CLOSED: row(null, false, 'The client, producer, consumer or broker has been closed.'),
  // wire
  PROTOCOL_MISMATCH: row(35, false, 'The peer does not speak a version of this protocol.'),
  INVALID_REQUEST: row(42, false, 'The request is malformed.'),
  UNKNOWN_API: row(null, false, 'The broker has no such api, or not in that version.'),
  FRAME_TOO_LARGE: row(null, false, 'The message is larger than the limit of the receiver.'),
  TOO_MANY_REQUESTS: row(null, true, 'The connection has more unanswered requests than it may.'),
  NETWORK_ERROR: row(13, true, 'The connection was refused, cut or could not be opened.'),
  BROKER_NOT_AVAILABLE: row(8, true, 'No broker of the list can be reached.'),
  // keys and codecs
  KEY_NOT_CANONICAL: row(null, false, 'The key has no canonical JSON form.'),
  DECODE_FAILED: row(null, false, 'The stored bytes do not fit the codec of the topic.'),
  ENCODE_FAILED: row(null, false, 'The value does not fit the codec of the topic.'),
  INVALID_ARGUMENT: row(null, false, 'An argument or option is missing, unknown or out of range.'),
  // a broker and its directory
  DATA_DIR_IN_USE: row(null, false, 'Another broker works on this data directory.'),
  DATA_DIR_UNUSABLE: row(57, false, 'The data directory cannot be created, read or written.'),
  NEWER_FORMAT: row(null, false, 'The data directory was written by a newer version of Sluice.'),
  PORT_TAKEN: row(null, false, 'The address to listen on is in use.'),
  BAD_LISTEN_ADDRESS: row(
    null,
    false,
    'The address to listen on does not exist or is not allowed.',
  ),
  UNSUPPORTED_PLATFORM: row(null, false, 'Sluice does not run on this operating system.'),
  UNKNOWN_SERVER_ERROR: row(-1, false, 'The broker met an error that it has no name for.'),
} as const satisfies Record<string, Row>

export type ErrorCode = keyof typeof errorTable

export interface ErrorDetails {
  /** A write may have happened although this is an error. Default false. */
  readonly maybeApplied?: boolean
  readonly hint?: string
  readonly topic?: string
  readonly partition?: number
  readonly broker?: number
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** The form in which an error travels in a response header. */
export interface WireError {
  code: string
  message: string
  retriable: boolean
  maybeApplied: boolean
  hint?: string
  topic?: string
  partition?: number
  broker?: number
  retryAfterMs?: number
}

const brand = Symbol.for('sluice.error')

export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  readonly retriable: boolean
  readonly maybeApplied: boolean
  readonly hint?: string
  readonly topic?: string
  readonly partition?: number
  readonly broker?: number
  readonly retryAfterMs?: number

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retriable = errorTable[code].retriable
    this.maybeApplied = details.maybeApplied ?? false
    if (details.hint !== undefined) this.hint = details.hint
    if (details.topic !== undefined) this.topic = details.topic
    if (details.partition !== undefined) this.partition = details.partition
    if (details.broker !== undefined) this.broker = details.broker
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
    Object.defineProperty(this, brand, { value: true })
  }

  /** Kafka's number for this error, −1 (unknown server error) where Kafka has none. */
  get kafkaCode(): number {
    return errorTable[this.code].kafkaCode ?? -1
  }

  /** True for an error of any copy of this package, optionally of one code. */
  static is(error: unknown, code?: ErrorCode): error is SluiceError {
    if (typeof error !== 'object' || error === null || !(brand in error)) return false
    return code === undefined || (error as { code?: unknown }).code === code
  }

  /** The wire and `-j` form. */
  toJSON(): WireError {
    const { code, message, retriable, maybeApplied, hint, topic, partition, broker, retryAfterMs } =
      this
    return {
      code,
      message,
      retriable,
      maybeApplied,
      ...(hint !== undefined && { hint }),
      ...(topic !== undefined && { topic }),
      ...(partition !== undefined && { partition }),
      ...(broker !== undefined && { broker }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  }

  /**
   * From the wire; a code that this version does not know becomes UNKNOWN_SERVER_ERROR and keeps
   * its name.
   */
  static fromJSON(wire: WireError): SluiceError {
    const { code, message, retriable: _table, ...details } = wire
    if (Object.hasOwn(errorTable, code)) return new SluiceError(code as ErrorCode, message, details)
    return new SluiceError('UNKNOWN_SERVER_ERROR', `${code}: ${message}`, details)
  }
}

/**
 * Any thrown value as a SluiceError; what is not one becomes UNKNOWN_SERVER_ERROR with it as cause.
 */
export function asSluiceError(error: unknown): SluiceError {
  if (SluiceError.is(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new SluiceError('UNKNOWN_SERVER_ERROR', message, { cause: error })
}
