/** Tests of what benches leave behind: csv.ts, page.ts, plot.ts, report.ts, result-files.ts. */
import t, { type Test } from 'tap'
import { csvColumns, csvOf } from '../../../../client/cli/bench/csv.ts'
import { pageOf } from '../../../../client/cli/bench/page.ts'
import { plotSvg, short } from '../../../../client/cli/bench/plot.ts'
import { type BenchReport, reportText } from '../../../../client/cli/bench/report.ts'
import { documentOf } from '../../../../client/cli/bench/result-files.ts'
import { resultsIn } from '../../../../client/cli/bench/results-in.ts'
import { aReport } from './a-report.ts'

/** Elements that HTML lets stand alone; all others must be closed, so the page is XML too. */
function wellFormed(t: Test, html: string): void {
  const body = html.replace(/^<!DOCTYPE html>\s*/, '').replace(/<style>[^<]*<\/style>/, '')
  const open: string[] = []
  let rest = body
  while (rest.length > 0) {
    const text = /^[^<]+/.exec(rest)?.[0]
    if (text !== undefined) {
      if (/&(?!(amp|lt|gt|quot|#39);)/.test(text)) t.fail(`a bare & in "${text.slice(0, 60)}"`)
      rest = rest.slice(text.length)
      continue
    }
    const tag = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z0-9-]+="[^"<]*")*)\s*(\/?)>/.exec(rest)
    if (tag === null) {
      t.fail(`not a tag: ${rest.slice(0, 80)}`)
      return
    }
    const [whole, isEnd, name = '', , isAlone] = tag
    if (isEnd === '/') t.equal(open.pop(), name, `</${name}> closes what is open`)
    else if (isAlone !== '/') open.push(name)
    rest = rest.slice(whole.length)
  }
  t.strictSame(open, [], 'everything is closed')
}

t.test('a page is well-formed, refers to nothing outside and runs nothing', async t => {
  const odd = {
    ...aReport(),
    name: 'a "quoted" <name> & more',
    flags: ['bench', '--topic', "o'<b>"],
  }
  const several = [odd, { ...aReport(), rate: 1000, loop: 'open' as const }]
  const html = pageOf('suite <1>', several)
  wellFormed(t, html)
  t.notMatch(html, /<script|javascript:|\son[a-z]+=|@import|url\(|<link|<img|<iframe/i)
  t.notMatch(html, /(src|href|srcset)=/i)
  t.notMatch(html, /https?:\/\//)
  t.match(html, /prefers-color-scheme: dark/)
  t.equal(html.match(/<svg /g)?.length, 6, 'three plots for each')
  t.match(html, /a &quot;quoted&quot; &lt;name&gt; &amp; more/)
})

t.test('a page of a bench without a single figure is well-formed too', async t => {
  const none = { ...aReport(), series: [], latencyCurve: [], latencySamples: 0, disk: null }
  const html = pageOf('empty', [none])
  wellFormed(t, html)
  t.notMatch(html, /NaN|Infinity|undefined/)
})

t.test('a plot draws every point inside its frame', async t => {
  const points = [...Array(50)].map((_, i) => [i, 10 ** (i / 10)] as const)
  for (const scale of ['linear', 'log'] as const) {
    const svg = plotSvg({
      title: 'p',
      x: { title: 'x' },
      y: { title: 'y', scale },
      lines: [{ name: 'a', points: [...points, [3, Number.NaN], [4, 0]] }],
    })
    const drawn = /points="([^"]*)"/.exec(svg)?.[1]?.split(' ') ?? []
    t.ok(drawn.length >= 50)
    for (const place of drawn) {
      const [x = -1, y = -1] = place.split(',').map(Number)
      if (!(x >= 64 && x <= 640 && y >= 20 && y <= 260)) t.fail(`${scale}: ${place}`)
    }
  }
  t.strictSame([0, 950, 1500, 2_500_000, 3e9].map(short), ['0', '950', '1.5k', '2.5M', '3G'])
})

t.test('a CSV has its columns, a line per interval, and quotes what needs it', async t => {
  const report = { ...aReport(), name: 'one, "two"' }
  const lines = csvOf([report]).split('\n')
  t.equal(lines[0], csvColumns.join(','))
  t.equal(
    lines[0],
    'name,bench,rate,seconds,records_per_second,megabytes_per_second,p50_ms,p99_ms,max_ms,warmup',
  )
  t.equal(lines[1], '"one, ""two""",produce,,0.2,1000,0.1,1,2,3,1')
  t.equal(lines.length, report.series.length + 2)
})

t.test('a document holds one result as it is, and several or a suite as results', async t => {
  const one = aReport()
  t.equal(documentOf([one]), one)
  t.strictSame(documentOf([one, one]), { results: [one, one] })
  t.strictSame(documentOf([one], 's'), { suite: 's', results: [one] })
  for (const document of [documentOf([one]), documentOf([one, one]), documentOf([one], 's')]) {
    t.strictSame(resultsIn(JSON.stringify(document), 'file')[0], one)
  }
  for (const text of ['', '{}', '[]', '{"results":[]}', '{"results":[{"bench":1}]}', 'null']) {
    t.throws(() => resultsIn(text, 'file'), { code: 'INVALID_ARGUMENT' }, text)
  }
})

t.test('the text names everything that the figure depends on', async t => {
  const text = reportText(aReport())
  for (const part of [
    /^produce t: 1,000 records/,
    /p50 1 .*p9999 5 .*max 6/,
    /closed loop: stalls hide/,
    /verified 1,000 records: batch checksums, count, order and checksum of each are right/,
    /acks=all, flush=commit, 1 partition\n/,
    /client 0.5 s \(0.50 cores\), broker 0.25 s/,
    /4 KiB write\+fdatasync p50 0.2 ms, p99 0.4 ms; 1 MiB durable 500 MB\/s/,
    /test, 2 cores, kernel 6.1, node v20.0.0, sluice 0.0.0 \(0123456789\), 2026-/,
  ]) {
    t.match(text, part)
  }
  const verified = { ...sound(aReport()), missing: 2, isSound: false, firstFault: 'record 7' }
  t.match(reportText({ ...aReport(), verified }), /FAILED: 2 missing, 0 repeated.*record 7/)
  t.match(reportText({ ...aReport(), verified: null }), /verified nothing\n/)
  const offsets = { ...sound(aReport()), checked: ['offsets'] as const }
  const bare = reportText({ ...aReport(), verified: offsets, areStamped: false })
  t.match(bare, /verified 1,000 records: offsets are right\n +no record carries the stamp/)
  t.match(reportText({ ...aReport(), rate: 500, unsent: 9 }), /fell behind 500 records\/s: 9/)
  const made = (share: number) => reportText({ ...aReport(), generator: { nsPerRecord: 9, share } })
  t.match(made(0.06), /making the records took 6 % of a core/)
  t.notMatch(made(0.05), /making the records/)
})

function sound({ verified }: BenchReport) {
  if (verified === null) throw new Error('the sample is verified')
  return verified
}
