/** The lanes of bench/ ended before their time: no server, no load, no directory stays behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const program = (name: string): string =>
  fileURLToPath(new URL(`../../bench/${name}`, import.meta.url))

/** Each would go on for a minute. */
const lanes = [
  { name: 'run.js', words: ['--only', 'e2e-10k'], place: '--dir' },
  { name: 'curves/run.js', words: ['--only', 'producers', '--seconds', '10'], place: '--root' },
  { name: 'peers/run.js', words: ['--only', 'redis', '--seconds', '10'], place: '--root' },
]

/** Processes other than `lane` whose words name `directory`. */
async function processesOf(directory: string, lane: number | undefined): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && name !== `${lane}`)
  const words = await Promise.all(
    pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  return words.filter(text => text.includes(directory))
}

async function begin(t: Test, { name, words, place }: (typeof lanes)[number]) {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-ends-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const all = [program(name), ...words, place, directory, '--out', join(directory, 'out')]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close') as Promise<[number | null]>
  const others = () => processesOf(directory, child.pid)
  // Its disk is probed and told first; then a broker is started.
  while ((await others()).length === 0) await sleep(20)
  return { child, closed, directory, others }
}

const skip = process.platform === 'linux' ? false : 'looks at processes through /proc'

t.test('SIGINT and SIGTERM end a lane with what it started', { skip }, async t => {
  for (const [n, lane] of lanes.entries()) {
    const { child, closed, directory, others } = await begin(t, lane)
    child.kill(n === 0 ? 'SIGINT' : 'SIGTERM')
    t.equal((await closed)[0], n === 0 ? 130 : 143, lane.name)
    t.strictSame(await readdir(directory), [], lane.name)
    t.strictSame(await others(), [], lane.name)
  }
})

t.test('a reader that goes away ends a lane with 0', { skip }, async t => {
  const peers = { name: 'peers/run.js', words: ['--seconds', '0.1'], place: '--root' }
  const { child, closed, directory, others } = await begin(t, peers)
  child.stdout.destroy()
  let complaints = ''
  child.stderr.on('data', chunk => {
    complaints += String(chunk)
  })
  t.equal((await closed)[0], 0)
  t.equal(complaints, '')
  t.strictSame(await readdir(directory), [])
  t.strictSame(await others(), [])
})
