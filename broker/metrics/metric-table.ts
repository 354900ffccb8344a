/**
 * Metric table: every metric of a broker, declared once: name, type, labels, unit and what it says.
 * The exposition, the table in the README and the check that each is filled come from here.
 *
 * Always true: names begin with `sluice_`, units are base units and stand in the name, counters end
 * in `_total`; labels take few values: names of topics are bounded by topic-counts.ts, partitions
 * are named only on request, clients never.
 * Read by exposition.ts, broker/server/observations.ts and the README's check.
 */

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface Metric {
  readonly type: MetricType
  readonly labels: readonly string[]
  /** '' = a number of things. */
  readonly unit: '' | 'seconds' | 'bytes' | 'records' | 'offset'
  readonly about: string
  /** Only with `metrics.partition.labels`. */
  readonly perPartition?: true
}

type Shape = Omit<Metric, 'type' | 'about'>

const plain: Shape = { labels: [], unit: '' }
const by = (...labels: string[]): Shape => ({ labels, unit: '' })
const seconds = (...labels: string[]): Shape => ({ labels, unit: 'seconds' })
const bytes = (...labels: string[]): Shape => ({ labels, unit: 'bytes' })
const records = (...labels: string[]): Shape => ({ labels, unit: 'records' })
const offset: Shape = { labels: ['topic', 'partition'], unit: 'offset' }

const counter = (shape: Shape, about: string): Metric => ({ type: 'counter', ...shape, about })
const gauge = (shape: Shape, about: string): Metric => ({ type: 'gauge', ...shape, about })
const histogram = (shape: Shape, about: string): Metric => ({ type: 'histogram', ...shape, about })
const perPartition = (shape: Shape, about: string): Metric => ({
  ...gauge(shape, about),
  perPartition: true,
})

export const metricTable = {
  sluice_build_info: gauge(by('version', 'node'), 'Always 1; the labels say what runs.'),
  sluice_uptime_seconds: gauge(seconds(), 'Time since the broker was started.'),
  sluice_broker_state: gauge(
    by('state'),
    'The active state is 1, the others 0: starting, ready, degraded, unready, stopping.',
  ),
  sluice_unready_reasons: gauge(
    by('reason'),
    'What /readyz has to say: 1 or the number of partitions for each reason there is, else 0.',
  ),
  sluice_partitions: gauge(plain, 'Partitions that should be on this broker.'),
  sluice_leaders: gauge(plain, 'Partitions that this broker leads.'),
  sluice_offline_partitions: gauge(
    plain,
    'Partitions that take no writes or are not served at all, because their files are damaged.',
  ),
  sluice_records_produced_total: counter(
    records('topic'),
    'Records appended by producers; one that was there already is not counted again.',
  ),
  sluice_batches_produced_total: counter(
    by('topic'),
    'Record batches appended; records by batches is how full batches are.',
  ),
  sluice_bytes_produced_total: counter(bytes('topic'), 'Bytes of those batches, as stored.'),
  sluice_records_fetched_total: counter(
    records('topic'),
    'Records in the batches that fetches were answered with.',
  ),
  sluice_bytes_fetched_total: counter(bytes('topic'), 'Bytes of those batches.'),
  sluice_request_duration_seconds: histogram(
    seconds('api'),
    'From the whole request to its answer; the count is the number of requests.',
  ),
  sluice_request_queue_seconds: histogram(
    seconds('api'),
    'Of that, time spent waiting for records to come or for the peer to take its answers.',
  ),
  sluice_request_errors_total: counter(
    by('api', 'code'),
    'Errors answered, for a whole request or one of its partitions or topics; codes as below.',
  ),
  sluice_request_bytes_total: counter(
    bytes('api', 'direction'),
    'Bytes of requests (in) and their answers (out), without the framing of WebSocket.',
  ),
  sluice_throttled_seconds_total: counter(
    seconds('quota'),
    'Time in which peers were not read from: receive = the broker held max.receive.bytes; ' +
      'output = a peer did not take its answers (counted for each).',
  ),
  sluice_connections: gauge(by('listener'), 'Open connections.'),
  sluice_connections_opened_total: counter(by('listener'), 'Connections that were accepted.'),
  sluice_rejected_connections_total: counter(
    by('reason'),
    'Connections refused before they became one, and plain HTTP requests that were.',
  ),
  sluice_connections_dropped_total: counter(
    by('listener'),
    'Connections that the broker cut off because it needed their memory: half-received messages, ' +
      'or answers that the peer did not take.',
  ),
  sluice_connection_buffered_bytes: gauge(
    bytes('listener'),
    'Answers that peers have not taken yet, over all connections.',
  ),
  sluice_log_append_seconds: histogram(
    seconds(),
    'Writing one round of batches to the log file, without the fsync.',
  ),
  sluice_fsync_seconds: histogram(seconds(), 'Making a round durable: fdatasync of the log.'),
  sluice_fsync_batch_records: histogram(
    records(),
    'Records that one fsync made durable: group commit at work.',
  ),
  sluice_uncommitted_bytes: gauge(bytes(), 'Batches taken and not yet on disk.'),
  sluice_log_size_bytes: gauge(bytes('topic'), 'Bytes of all .log files.'),
  sluice_log_segments: gauge(by('topic'), 'Segment files.'),
  sluice_log_start_offset: perPartition(offset, 'Oldest offset that is there.'),
  sluice_log_end_offset: perPartition(offset, 'Offset of the next record.'),
  sluice_high_watermark: perPartition(offset, 'First offset that consumers may not read yet.'),
  sluice_disk_free_bytes: gauge(
    bytes('dir'),
    'Free space where the logs are, looked up each second.',
  ),
  sluice_disk_total_bytes: gauge(bytes('dir'), 'Size of that file system; absent where unknown.'),
  sluice_disk_full: gauge(by('dir'), '1 while writes are refused for lack of space.'),
  sluice_corrupt_batches_total: counter(
    by('where'),
    'Damaged batches: disk = found by recovery or a read; request = sent by a producer.',
  ),
  sluice_recovery_seconds: gauge(
    seconds(),
    'How long opening the logs took at start, recovery included; 0 until it is done.',
  ),
  sluice_unclean_start: gauge(
    plain,
    '1 where the last stop was not clean, so logs were recovered.',
  ),
  sluice_retention_deleted_bytes_total: counter(
    bytes('reason'),
    'Bytes of segments that went: time and size = retention, trim = somebody asked.',
  ),
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metricTable

/** Made by prom-client about the whole process, only under `sluice start`. */
export const processMetrics: readonly (readonly [string, string])[] = [
  ['nodejs_eventloop_lag_*', 'How late the event loop is: minimum, mean, p50, p90, p99, maximum.'],
  ['nodejs_heap_*, nodejs_external_memory_bytes', 'Memory of the JavaScript heap and beside it.'],
  ['nodejs_gc_duration_seconds', 'Garbage collections by kind.'],
  ['nodejs_active_*, nodejs_version_info', 'Handles and requests; the version of Node.'],
  ['process_*', 'CPU seconds, resident memory, file descriptors, start time.'],
]

/** The table as markdown, for the README. */
export function renderMetricTable(): string {
  const rows = Object.entries<Metric>(metricTable).map(([name, metric]) => {
    const labels = metric.labels.map(label => `\`${label}\``).join(' ')
    const mark = metric.perPartition === true ? ' °' : ''
    return `| \`${name}\`${mark} | ${metric.type} | ${labels} | ${metric.unit} | ${metric.about} |`
  })
  const others = processMetrics.map(([names, about]) => {
    const shown = names
      .split(', ')
      .map(name => `\`${name}\``)
      .join(' ')
    return `| ${shown} | | | | ${about} |`
  })
  return ['| metric | type | labels | unit | |', '|---|---|---|---|---|', ...rows, ...others].join(
    '\n',
  )
}
