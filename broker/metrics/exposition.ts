/**
 * Exposition: the numbers of a scrape as the text that Prometheus reads. The door to prom-client,
 * which is loaded with this file, so at the first scrape and not before.
 *
 * Always true: what is exposed is what the metric table declares; nothing is kept between scrapes
 * but the registry; without `ofProcess` nothing of the process outside this broker is watched.
 * Loaded by broker/server/metrics-page.ts.
 */
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { FixedHistogram } from './fixed-histogram.ts'
import { type Metric, type MetricName, type MetricType, metricTable } from './metric-table.ts'

type Labels = Readonly<Record<string, string>>

/** One series: a number, or a histogram. */
export interface Observation {
  readonly labels?: Labels
  readonly value: number | FixedHistogram
}

/** Every metric of the table, filled. */
export type Observations = { readonly [Name in MetricName]: readonly Observation[] }

/** What a registry asks of a metric. */
interface Line {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}
interface Registered {
  readonly name: string
  get(): Promise<{ name: string; help: string; type: MetricType; values: Line[] }>
  reset(): void
}

function histogramLines(name: string, labels: Labels, histogram: FixedHistogram): Line[] {
  const bucket = `${name}_bucket`
  const lines: Line[] = histogram.cumulative().map((value, i) => ({
    metricName: bucket,
    labels: { ...labels, le: String(histogram.bounds[i]) },
    value,
  }))
  const { count, sum } = histogram
  return [
    ...lines,
    { metricName: bucket, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

function linesOf(name: string, observations: readonly Observation[]): Line[] {
  return observations.flatMap(({ labels = {}, value }) =>
    typeof value === 'number' ? [{ labels, value }] : histogramLines(name, labels, value),
  )
}

export class Exposition {
  readonly contentType: string
  readonly #registry = new Registry()
  #observations: Observations | null = null

  /** @param ofProcess also memory, CPU, event loop and garbage collection of the process */
  constructor(ofProcess: boolean) {
    this.contentType = this.#registry.contentType
    for (const name of Object.keys(metricTable) as MetricName[]) this.#register(name)
    if (ofProcess) collectDefaultMetrics({ register: this.#registry })
  }

  #register(name: MetricName): void {
    const { type, about: help }: Metric = metricTable[name]
    const metric: Registered = {
      name,
      get: async () => {
        return { name, help, type, values: linesOf(name, this.#observations?.[name] ?? []) }
      },
      reset: () => {},
    }
    // the registry asks no more of a metric than this, whatever its type says
    const register = this.#registry.registerMetric.bind(this.#registry) as unknown as (
      m: Registered,
    ) => void
    register(metric)
  }

  /** Calls do not overlap: the caller waits for one before the next. */
  async render(observations: Observations): Promise<string> {
    this.#observations = observations
    try {
      return await this.#registry.metrics()
    } finally {
      this.#observations = null
    }
  }
}
