/**
 * Kafka fixture: the files of test/fixtures/kafka-4.3.1 as tests use them, and the earthquakes that
 * were produced into them.
 *
 * Always true: found from the compiled place (dist/test/support) and from the source alike.
 * Called by the tests of protocol/records and broker/storage.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One line of Kafka's dump tool: its words and values, as text. */
export type DumpedBatch = Record<string, string>

/** The directory that holds package.json. */
export function repositoryRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory)
  return directory
}

export const kafkaFixture = join(repositoryRoot(), 'test/fixtures/kafka-4.3.1')

/** Batches per log file (`quakes-none-0/00000000000000000000.log`), in order. */
export function readDump(): Map<string, DumpedBatch[]> {
  const files = new Map<string, DumpedBatch[]>()
  let current: DumpedBatch[] = []
  for (const line of readFileSync(join(kafkaFixture, 'dump-log.txt'), 'utf8').split('\n')) {
    if (line.startsWith('## ')) {
      current = []
      files.set(line.slice(3).trim(), current)
    } else if (line.startsWith('baseOffset')) {
      current.push(Object.fromEntries([...line.matchAll(/(\w+): (\S+)/g)].map(m => [m[1], m[2]])))
    }
  }
  return files
}

/** The bytes of a log file, named as in the dump. */
export function readLog(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(kafkaFixture, file)))
}

/** The 600 lines that were produced, in order. */
export function earthquakeLines(): string[] {
  return readFileSync(join(kafkaFixture, 'earthquakes-600.ndjson'), 'utf8').trimEnd().split('\n')
}
