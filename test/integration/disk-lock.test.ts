/**
 * The lock of a data directory between real processes, with flock(1) and without it (rule S3).
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { NodeDisk } from '../../broker/world/node-disk.ts'

const source = new URL('../../broker/world/node-disk.js', import.meta.url).href

for (const flockProgram of ['flock', 'no-such-program-anywhere']) {
  t.test(`two processes cannot hold one lock, and SIGKILL frees it (${flockProgram})`, async t => {
    const path = `${t.testdir()}/.lock`
    const disk = new NodeDisk({ flockProgram })
    const holder = start(path, flockProgram)
    t.teardown(() => holder.kill('SIGKILL'))
    t.equal(await firstLine(holder), 'held')
    t.equal(await disk.lock(path), null)
    const second = start(path, flockProgram)
    t.equal(await firstLine(second), 'taken')
    await once(second, 'exit')

    holder.kill('SIGSTOP')
    t.equal(await disk.lock(path), null, 'a stopped process still holds it')
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const lock = await disk.lock(path)
    t.ok(lock, 'the lock of a killed process is free')
    const third = start(path, flockProgram)
    t.equal(await firstLine(third), 'taken')
    await lock?.release()
  })
}

t.test('a child that the holder started does not keep the lock', async t => {
  const path = `${t.testdir()}/.lock`
  const holder = start(path, 'flock', `process.stdout.write(\`\${spawn('sleep', ['30']).pid} \`)`)
  const [child, outcome] = (await firstLine(holder)).split(' ')
  t.teardown(() => process.kill(Number(child)))
  t.equal(outcome, 'held')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const lock = await new NodeDisk().lock(path)
  t.ok(lock)
  await lock?.release()
})

/** A process that tries to take the lock, says how that went, and stays if it holds it. */
function start(path: string, flockProgram: string, andThen = ''): ChildProcess {
  const program = `
    import { spawn } from 'node:child_process'
    import { NodeDisk } from '${source}'
    const disk = new NodeDisk({ flockProgram: '${flockProgram}' })
    const lock = await disk.lock('${path}')
    ${andThen}
    console.log(lock ? 'held' : 'taken')
    if (lock) setInterval(() => {}, 1000)
  `
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child
  if (stdout === null) throw new Error('no output')
  let text = ''
  while (!text.includes('\n')) text += String((await once(stdout, 'data'))[0])
  return text.trim()
}
