/**
 * Exposition parser: reads what /metrics answers by the rules of Prometheus' text format, and
 * refuses what breaks them.
 *
 * Always true: every sample belongs to a family that was declared before it; no series comes twice;
 * buckets of a histogram never fall, and the last of them is the count.
 * Used by the tests of /metrics.
 */

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

const samplePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/y

function parseLabels(text: string): Labels {
  const labels: Record<string, string> = {}
  labelPattern.lastIndex = 0
  while (labelPattern.lastIndex < text.length) {
    const match = labelPattern.exec(text)
    if (match === null) throw new Error(`not a list of labels: ${text}`)
    const [, name = '', value = ''] = match
    if (Object.hasOwn(labels, name)) throw new Error(`label ${name} comes twice: ${text}`)
    labels[name] = value
  }
  return labels
}

function parseValue(text: string): number {
  if (/^nan$/i.test(text)) return Number.NaN
  const named = { '+Inf': Infinity, '-Inf': -Infinity }
  const value = text in named ? named[text as keyof typeof named] : Number(text)
  if (!(text in named) && !Number.isFinite(value)) throw new Error(`not a number: ${text}`)
  return value
}

/** The families by name. Throws where the text is not in the format. */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  let current: Family | null = null
  let help = ''
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') help = rest
    else if (kind === 'TYPE') {
      if (families.has(name)) throw new Error(`family ${name} comes twice`)
      current = { name, type: rest, help, samples: [] }
      families.set(name, current)
    } else if (current === null) throw new Error(`a sample without a family: ${line}`)
    else current.samples.push(parseSample(line, current))
  }
  for (const family of families.values()) checkFamily(family)
  return families
}

function parseSample(line: string, family: Family): Sample {
  const [, name = '', labels = '', value = ''] = samplePattern.exec(line) ?? []
  if (name === '') throw new Error(`not a sample: ${line}`)
  const suffix = name.slice(family.name.length)
  const own = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
  const isSummary = family.type === 'summary' && ['', '_sum', '_count'].includes(suffix)
  if (!name.startsWith(family.name) || !(own.includes(suffix) || isSummary)) {
    throw new Error(`${line} is not of family ${family.name}`)
  }
  return { name, labels: parseLabels(labels), value: parseValue(value) }
}

const keyOf = ({ name, labels }: Sample): string =>
  `${name} ${JSON.stringify(Object.entries(labels).sort())}`

function checkFamily({ name, type, samples }: Family): void {
  const keys = samples.map(keyOf)
  const twice = keys.find((key, i) => keys.indexOf(key) !== i)
  if (twice !== undefined) throw new Error(`a series comes twice: ${twice}`)
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`counter ${name} is below zero`)
  }
  if (type === 'histogram') checkBuckets(name, samples)
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  const last = new Map<string, Sample>()
  for (const sample of samples) {
    const { le, ...rest } = sample.labels
    const key = JSON.stringify(rest)
    const before = last.get(key)
    if (sample.name === `${name}_bucket`) {
      if (before !== undefined && before.value > sample.value) {
        throw new Error(`bucket ${le} of ${name} is below the one before it`)
      }
      last.set(key, sample)
    } else if (sample.name === `${name}_count`) {
      if (before?.labels.le !== '+Inf' || before.value !== sample.value) {
        throw new Error(`the last bucket of ${name} is not its count`)
      }
    }
  }
}

/** The sum over the series of a name whose labels include `labels`. */
export function sumOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Labels = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
  if (family === undefined) throw new Error(`there is no metric ${name}`)
  return family.samples
    .filter(sample => sample.name === name)
    .filter(sample => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
