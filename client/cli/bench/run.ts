/**
 * bench run: the benches of a suite file, one after the other, as one result.
 *
 *   { "suite": "nightly",
 *     "benches": [ { "name": "small records", "words": ["produce", "-n", "1M", "--size", "100B"] } ] }
 *
 * Always true: a bench of a suite is a command line, run by the same code as one that is typed,
 * with the servers and the timeout of this one; the first bench that fails ends the suite with its
 * error, and what was measured until then is saved and shown.
 */
import { runCli } from '../cli.ts'
import { type CommandContext, type CommandTree, defineCommand, refuseDryRun } from '../command.ts'
import { usageError } from '../failure.ts'
import type { Terminal } from '../terminal.ts'
import { measuringVerbs } from './measuring-verbs.ts'
import { resultOptions } from './options.ts'
import type { BenchReport } from './report.ts'
import { publish } from './result-files.ts'
import { resultsIn } from './results-in.ts'
import { parseSuite, type SuiteBench } from './suite-file.ts'

const { csv, html, 'json-file': jsonFile } = resultOptions
const options = { csv, html, 'json-file': jsonFile } as const

const suiteForm = 'JSON file: {"suite": name, "benches": [{"name": …, "words": ["produce", …]}]}'

const tree: CommandTree = [{ name: 'bench', about: 'Measure', verbs: measuringVerbs }]

async function readText(terminal: Terminal, path: string): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of terminal.readFile(path)) parts.push(chunk)
  return Buffer.concat(parts).toString()
}

/** The terminal with other words, whose answer goes to `write` instead of stdout. */
function capturing(
  terminal: Terminal,
  words: readonly string[],
  write: (text: string | Uint8Array) => void,
): Terminal {
  return {
    words,
    write,
    drained: async () => undefined,
    env: terminal.env,
    inputIsTty: terminal.inputIsTty,
    outputIsTty: terminal.outputIsTty,
    errorIsTty: terminal.errorIsTty,
    outputClosed: terminal.outputClosed,
    host: terminal.host,
    columns: () => terminal.columns(),
    writeError: text => terminal.writeError(text),
    input: () => terminal.input(),
    requireReadable: path => terminal.requireReadable(path),
    readFile: path => terminal.readFile(path),
    writeFile: (path, text) => terminal.writeFile(path, text),
    ask: question => terminal.ask(question),
    onSignal: callback => terminal.onSignal(callback),
    machine: () => terminal.machine(),
    version: () => terminal.version(),
    end: code => terminal.end(code),
    exitNow: code => terminal.exitNow(code),
  }
}

/** The results of one bench, and its exit code. */
async function runBench(
  context: CommandContext,
  bench: SuiteBench,
): Promise<{ code: number; reports: BenchReport[] }> {
  const { terminal, servers, timeoutMs, world, connect, output } = context
  const shared = [...servers.flatMap(server => ['-s', server]), '--timeout', `${timeoutMs}ms`]
  const quiet = output.quiet ? ['-q'] : []
  const words = ['bench', ...bench.words, ...shared, ...quiet, '-j']
  const parts: Uint8Array[] = []
  const captured = capturing(terminal, words, text => parts.push(Buffer.from(text)))
  const code = await runCli(
    words,
    { terminal: captured, open: async () => ({ world, connect }) },
    tree,
  )
  const answer = Buffer.concat(parts).toString()
  const reports = answer === '' ? [] : resultsIn(answer, bench.name)
  const named = (report: BenchReport): string =>
    reports.length === 1 ? bench.name : `${bench.name} ${report.rate}/s`
  return { code, reports: reports.map(report => ({ ...report, name: named(report) })) }
}

export const benchRunCommand = defineCommand({
  usage: 'run <suite>',
  about: 'Run the benches of a JSON suite file, one after the other',
  examples: [['$0 bench run nightly.json --json-file today.json', 'to compare with yesterday']],
  positionals: {
    suite: { type: 'string', demandOption: true, describe: suiteForm },
  },
  options,
  run: async (context, args) => {
    refuseDryRun(context, 'bench run')
    const { suite, benches } = parseSuite(await readText(context.terminal, args.suite))
    const known = measuringVerbs.map(verb => verb.usage)
    const wrong = benches.find(({ words }) => !known.includes(words[0] ?? ''))
    if (wrong !== undefined) {
      throw usageError(`"${wrong.name}" names no bench`, `its first word is ${known.join(', ')}`)
    }
    const reports: BenchReport[] = []
    let failed = 0
    for (const [i, bench] of benches.entries()) {
      if (context.signal.aborted) break
      context.output.say(`${i + 1} of ${benches.length}: ${bench.name}`)
      const { code, reports: its } = await runBench(context, bench)
      reports.push(...its)
      failed = code
      if (code !== 0) break
    }
    const files = { csv: args.csv, json: args['json-file'], html: args.html }
    await publish(context, files, { reports, suite })
    return failed === 0 ? undefined : failed
  },
})
