/** The metric table keeps Prometheus' rules for names, and labels stay few. */
import t from 'tap'
import {
  type Metric,
  metricTable,
  processMetrics,
  renderMetricTable,
} from '../../../broker/metrics/metric-table.ts'

const rows = Object.entries<Metric>(metricTable)
const allowedLabels = [
  ...['version', 'node', 'state', 'reason', 'topic', 'partition', 'api', 'code', 'direction'],
  ...['quota', 'listener', 'dir', 'where'],
]

t.test('names say what they are', async t => {
  for (const [name, { type, unit }] of rows) {
    t.match(name, /^sluice_[a-z]+(_[a-z]+)*$/)
    t.equal(name.endsWith('_total'), type === 'counter' || name === 'sluice_disk_total', name)
    if (unit === 'seconds' || unit === 'bytes') t.match(name, new RegExp(`_${unit}(_|$)`))
  }
})

t.test('no label can take as many values as there are clients or records', async t => {
  for (const [name, { labels, perPartition }] of rows) {
    for (const label of labels) t.ok(allowedLabels.includes(label), `${name}{${label}}`)
    t.equal(labels.includes('partition'), perPartition === true, name)
  }
})

t.test('each has a sentence, and a row in the table of the docs', async t => {
  const table = renderMetricTable()
  for (const [name, { about }] of rows) {
    t.match(about, /^[A-Z01].*\.$|^[A-Z].*, else 0\.$/, name)
    t.ok(table.includes(`| \`${name}\``), name)
  }
  t.equal(table.split('\n').length, rows.length + processMetrics.length + 2)
})
