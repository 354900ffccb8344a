/**
 * Load config: flags, environment and a config file become one BrokerConfig, and every value keeps
 * its origin.
 *
 *   flag > SLUICE_… in the environment > config file > default of the table
 *
 * Always true: a key that no row has is an error naming the nearest one, wherever it stands.
 * Called by broker/cli, which reads the file and hands over flags and environment.
 */
import { SluiceError } from '../../protocol/errors.ts'
import {
  type BrokerConfig,
  type BrokerConfigInput,
  brokerConfig,
  brokerOptions,
} from './broker-config.ts'
import { nearestName } from './nearest-name.ts'
import type { Option } from './option.ts'
import { topicOptionFields, topicOptions } from './topic-config.ts'

export interface ConfigSources {
  /** Flag names without dashes, as typed (`data-dir`), with their text. */
  readonly flags?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly file?: { readonly path: string; readonly text: string }
}

export interface ConfigValue {
  readonly name: string
  readonly value: string
  /** `flag --data-dir`, `environment SLUICE_DATA_DIR`, `file sluice.json`, `default`. */
  readonly origin: string
}

export interface LoadedConfig {
  readonly config: BrokerConfig
  /** Every row in table order, for `sluice config print`. */
  readonly values: ConfigValue[]
}

interface Row {
  readonly option: Option<unknown>
  /** Field of BrokerConfig; null = a topic default. */
  readonly field: string | null
}
interface Given {
  readonly key: string
  readonly text: string
  readonly origin: string
}

/**
 * SLUICE_ variables that are not the broker's: the client's own, and those that Kubernetes gives
 * every container beside a service that is called "sluice".
 */
const foreignVariables =
  /^(SERVERS?|CONFIG|PROFILE|OUTPUT|CLIENT_ID|SERVICE_(HOST|PORT)(_.+)?|PORT(_\d+_.+)?)$/

/**
 * Rows by name without separators' differences: `min.free.bytes`, `min-free-bytes`,
 * `min_free_bytes`.
 */
export function configRows(): Map<string, Row> {
  const rows = new Map<string, Row>()
  for (const [field, option] of Object.entries(brokerOptions)) {
    rows.set(option.name, { option: option as Option<unknown>, field })
  }
  for (const field of topicOptionFields) {
    const option: Option<unknown> = topicOptions[field] as Option<unknown>
    rows.set(`topic.${option.name}`, { option, field: null })
  }
  return rows
}

const dotted = (key: string): string => key.toLowerCase().replace(/[-_.]+/g, '.')
/** The flag of a row: `--min-free-bytes`. */
export const flagOf = (name: string): string => `--${name.replaceAll('.', '-')}`

/** @throws SluiceError INVALID_ARGUMENT naming the key, where it stands, and the nearest name */
export async function loadBrokerConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const rows = configRows()
  const given = new Map<string, Given>()
  const fileValues = sources.file === undefined ? [] : await fileGiven(sources.file)
  for (const item of [
    ...fileValues,
    ...environmentGiven(sources.environment ?? {}),
    ...flagsGiven(sources.flags ?? {}),
  ]) {
    const name = dotted(item.key)
    if (!rows.has(name)) throw unknownKey(item, name, rows)
    given.set(name, item)
  }
  return assemble(rows, given)
}

function assemble(rows: Map<string, Row>, given: Map<string, Given>): LoadedConfig {
  const input: Record<string, unknown> = {}
  const topicDefaults: Record<string, string> = {}
  const values: ConfigValue[] = []
  for (const [name, { option, field }] of rows) {
    const item = given.get(name)
    let value = option.default
    if (item !== undefined) {
      const read = option.parse(item.text)
      if ('problem' in read) throw badValue(name, item, read.problem, option.about)
      value = read.value
      if (field === null) topicDefaults[option.name] = item.text
      else input[field] = value
    }
    values.push({ name, value: option.format(value), origin: item?.origin ?? 'default' })
  }
  return { config: brokerConfig({ ...input, topicDefaults } as BrokerConfigInput), values }
}

function badValue(name: string, item: Given, problem: string, about: string): SluiceError {
  return new SluiceError(
    'INVALID_ARGUMENT',
    `${name} ${problem}, got "${item.text}" (${item.origin})`,
    { hint: about },
  )
}

function unknownKey(item: Given, name: string, rows: Map<string, Row>): SluiceError {
  const nearest = rows.has(`topic.${name}`) ? `topic.${name}` : nearestName(name, rows.keys())
  return new SluiceError(
    'INVALID_ARGUMENT',
    `there is no broker option "${item.key}" (${item.origin})`,
    { hint: nearest === null ? 'see the config table in the README' : `nearest: ${nearest}` },
  )
}

function flagsGiven(flags: Readonly<Record<string, string>>): Given[] {
  return Object.entries(flags).map(([key, text]) => ({ key, text, origin: `flag --${key}` }))
}

function environmentGiven(environment: Readonly<Record<string, string | undefined>>): Given[] {
  const given: Given[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('SLUICE_') || text === undefined) continue
    const key = variable.slice('SLUICE_'.length)
    if (foreignVariables.test(key)) continue
    given.push({ key, text, origin: `environment ${variable}` })
  }
  return given
}

/** The file reader brings zod along (about 50 ms), so only a start with a file pays for it. */
async function fileGiven(file: { path: string; text: string }): Promise<Given[]> {
  const { readConfigFile } = await import('./config-file.ts')
  return readConfigFile(file.text, file.path).map(([key, text]) => ({
    key,
    text,
    origin: `file ${file.path}`,
  }))
}
