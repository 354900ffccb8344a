/**
 * Log events: the name of every line that a broker logs, with what it says. A program that reads
 * the log goes by `event`; the text of a line is for people and may change.
 *
 * Always true: a name keeps its meaning; fields of a line are its facts (`topic`, `partition`,
 * `offset`, …), times in milliseconds, sizes in bytes.
 * The README shows the table; a test holds it against the lines.
 */
export const logEvents = {
  starting: 'The process begins; settings that are not defaults, and where each comes from.',
  ready: 'Clients are served from now on.',
  stopping: 'A clean stop begins, with its reason.',
  stopped: 'Everything is flushed and closed.',
  recovering: 'The last stop was not clean.',
  recovered: 'All logs are open; how many are damaged, and how long it took.',
  'log-recovered': 'One log was read after an unclean stop (debug).',
  'tail-cut': 'An unfinished write at the end of a log was cut off and kept aside.',
  quarantined: 'Damage below what was acked: the log takes no writes.',
  'damage-found': 'A read met damaged bytes.',
  'partition-offline': 'A partition cannot be opened and is not served.',
  'checkpoint-damaged': 'The checkpoint is of no use; the logs are read instead.',
  'checkpoint-unknown': 'No checkpoint knows a log: copied in, or the checkpoint is lost.',
  'topics-loaded': 'The catalogue and the directories are one (debug).',
  'directory-left-alone':
    'A directory looks like a partition and is not taken over, with the reason.',
  'directory-removed': 'What a creation that never happened had left is gone.',
  'topic-adopted': 'Directories that were copied in became a topic.',
  'topic-created': 'A topic was made.',
  'topic-deleted': 'A topic and its records are gone.',
  'topic-altered': 'Settings of a topic were changed.',
  'partitions-added': 'A topic has more partitions.',
  trimmed: 'Somebody moved a log start.',
  retention: 'Old segments were removed.',
  'segment-rolled': 'A new segment was begun (debug).',
  'leftovers-stay': 'Directories of a failed creation could not be removed yet.',
  'removal-postponed': 'Files of what was deleted could not be removed yet.',
  'disk-full': 'Writes are refused from now on.',
  'disk-has-room': 'Writes go on.',
  postponed: 'Something waits for space on the disk.',
  'reserve-used': 'The disk is full: the room that is kept for recovery was given up for it.',
  'snapshots-ahead': 'Producer snapshots tell of records that the log has lost; they go too.',
  'clock-jumped':
    'The wall clock jumped by more than five minutes: retention waits until it holds.',
  'slow-fsync': 'An fsync took longer than slow.fsync.ms.',
  'slow-request': 'A request kept the broker busy for longer than slow.request.ms.',
  'request-failed': 'A request met an error that has no name.',
  'invariant-broken': 'A bug was found before it did harm: the process ends.',
  'advertise-missing': 'Clients on other machines will not find this broker.',
  'connection-opened': 'A connection (debug).',
  'connection-closed': 'Its end (debug).',
  'connection-ended': 'The broker ends a connection, with the reason.',
  'connection-refused': 'Somebody was not let in, with the reason.',
  hello: 'A client says who it is (debug).',
  'lines-held-back': 'More lines of one event than twenty in ten seconds; how many there were.',
} as const

export type LogEvent = keyof typeof logEvents

/** The table as markdown, for the README. */
export function renderLogEvents(): string {
  const rows = Object.entries(logEvents).map(([event, about]) => `| \`${event}\` | ${about} |`)
  return ['| event | |', '|---|---|', ...rows].join('\n')
}
