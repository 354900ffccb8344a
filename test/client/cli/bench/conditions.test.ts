/** Tests of local-broker.ts, commit.ts, disk-probe.ts and conditions.ts on texts and fakes. */
import { tmpdir } from 'node:os'
import t from 'tap'
import { commitOf } from '../../../../client/cli/bench/commit.ts'
import { UsageSpan } from '../../../../client/cli/bench/conditions.ts'
import { probeDisk } from '../../../../client/cli/bench/disk-probe.ts'
import {
  cpuSecondsOf,
  dataDirectoryIn,
  dataDirectoryOf,
  findBroker,
  listeningInodes,
  rssBytesOf,
} from '../../../../client/cli/bench/local-broker.ts'
import { type Host, processHost } from '../../../../client/cli/terminal.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const hostOf = (
  files: Readonly<Record<string, string>>,
  links: Record<string, string> = {},
): Host => ({
  ...new FakeTerminal().host,
  readText: async path => files[path] ?? null,
  linkTarget: async path => links[path] ?? null,
  list: async path => {
    const all = [...Object.keys(files), ...Object.keys(links)]
    const below = all.filter(name => name.startsWith(`${path}/`))
    return [...new Set(below.map(name => name.slice(path.length + 1).split('/')[0] ?? ''))]
  },
})

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid
   0: 0100007F:244A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 0100007F:244A 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
`

t.test('the process that listens on the port of a loopback URL is found', async t => {
  t.strictSame(listeningInodes(tcp, 9290), ['4711'])
  const files = {
    '/proc/net/tcp': tcp,
    '/proc/12/cmdline': 'node\0x.js\0start\0--data-dir\0data/a\0',
    '/proc/13/cmdline': 'node\0x.js\0--data-dir=/srv/b\0',
  }
  const links = {
    '/proc/11/exe': '/usr/bin/bash',
    '/proc/11/fd/3': 'socket:[4711]',
    '/proc/12/exe': '/usr/bin/node',
    '/proc/12/fd/1': '/dev/null',
    '/proc/12/fd/20': 'socket:[4711]',
    '/proc/12/cwd': '/home/a',
  }
  const host = hostOf(files, links)
  t.equal(await findBroker(host, ['ws://127.0.0.1:9290']), 12)
  t.equal(await findBroker(host, ['ws://localhost:9290', 'ws://other:1']), 12)
  t.equal(await findBroker(host, ['ws://127.0.0.1:9291']), null)
  t.equal(await findBroker(host, ['ws://broker.example:9290']), null, 'it is elsewhere')
  t.equal(await findBroker(hostOf({}), ['ws://127.0.0.1:9290']), null, 'no /proc')
  t.equal(await dataDirectoryOf(host, 12), '/home/a/data/a')
  t.equal(await dataDirectoryOf(host, 13), '/srv/b')
  t.equal(await dataDirectoryOf(host, 14), null)
})

t.test('a broker without --data-dir has its data where it was told, or where it is', async t => {
  const cwd = { '/proc/7/cwd': '/home/a' }
  const found = (files: Record<string, string>) =>
    dataDirectoryOf(hostOf({ '/proc/7/cmdline': 'node\0x.js\0start\0', ...files }, cwd), 7)
  const inHome = { '/home/a/sluice-data/meta': '' }
  t.equal(await found(inHome), '/home/a/sluice-data')
  t.equal(await found({}), null, 'there is no such directory')
  const environ = 'HOME=/home/a\0SLUICE_DATA_DIR=/srv/b\0'
  const config = 'node\0x.js\0start\0--config\0conf/s.json\0'
  const inFile = { '/proc/7/cmdline': config, '/home/a/conf/s.json': '{"data":{"dir":"d"}}' }
  const all = { ...inHome, ...inFile, '/srv/b/meta': '', '/home/a/d/meta': '' }
  t.equal(await found(all), '/home/a/d')
  t.equal(await found({ ...all, '/proc/7/environ': environ }), '/srv/b')
  t.equal(await found({ ...all, '/home/a/conf/s.json': 'x' }), '/home/a/sluice-data')
  for (const text of ['{"data.dir":"d"}', '{"data":{"dir":"d"}}', '{"DATA_DIR":"d","x":1}']) {
    t.equal(dataDirectoryIn(text), 'd', text)
  }
  for (const text of ['', '[]', '{"dir":"d"}', '{"data":"d"}']) t.equal(dataDirectoryIn(text), null)
})

t.test('processor time and memory are read from the texts of the kernel', async t => {
  const stat = '12 (a ) b) S 1 12 12 0 -1 4194304 9 0 0 0 250 50 0 0 20 0 11 0 99'
  t.equal(cpuSecondsOf(stat), 3)
  t.equal(rssBytesOf('Name:\tnode\nVmRSS:\t   2048 kB\nVmSwap: 0 kB\n'), 2 * 1024 * 1024)
  t.equal(rssBytesOf(''), 0)
})

t.test('a span counts from its last beginning to its end, on both sides', async t => {
  let cpuSeconds = 1
  let ticks = 100
  const host: Host = {
    ...new FakeTerminal().host,
    usage: () => ({ cpuSeconds, rssBytes: 5000 }),
    readText: async path =>
      path.endsWith('/stat') ? `7 (node) S 0 0 0 0 0 0 0 0 0 0 ${ticks} 0 0 0` : 'VmRSS: 10 kB\n',
  }
  const span = new UsageSpan(host, 7)
  span.begin()
  cpuSeconds = 2
  ticks = 200
  span.begin()
  await new Promise(resolve => setImmediate(resolve))
  cpuSeconds = 2.5
  ticks = 300
  t.strictSame(await span.end(), {
    clientCpuSeconds: 0.5,
    clientRssBytes: 5000,
    brokerCpuSeconds: 1,
    brokerRssBytes: 10_240,
  })
  t.match(await new UsageSpan(host, null).end(), { brokerCpuSeconds: null, brokerRssBytes: null })
})

t.test('the commit is found in a checkout, a worktree and packed references', async t => {
  const hash = 'a'.repeat(40)
  const plain = { '/package/.git/HEAD': 'ref: refs/heads/main\n' }
  const at = (files: Record<string, string>) => commitOf(hostOf(files))
  t.equal(await at({ '/package/.git/HEAD': `${hash}\n` }), hash)
  t.equal(await at({ ...plain, '/package/.git/refs/heads/main': `${hash}\n` }), hash)
  t.equal(
    await at({ ...plain, '/package/.git/packed-refs': `# x\n${hash} refs/heads/main\n` }),
    hash,
  )
  const worktree = {
    '/package/.git': 'gitdir: /repo/.git/worktrees/w\n',
    '/repo/.git/worktrees/w/HEAD': 'ref: refs/heads/w\n',
    '/repo/.git/worktrees/w/commondir': '../..\n',
    '/repo/.git/worktrees/w/../../refs/heads/w': `${hash}\n`,
  }
  t.equal(await at(worktree), hash)
  t.equal(await at({}), null, 'an installed package')
  t.equal(await at(plain), null)
})

t.test('the disk is probed with writes of both kinds, and the file is closed', async t => {
  let nowMs = 0
  const calls = { writes: 0, syncs: 0, closed: 0 }
  const speed = probeDisk({
    directory: '/data',
    clock: { wallMs: () => 0, monotonicMs: () => nowMs },
    open: (_directory, isSynced) => ({
      write: () => {
        calls.writes++
        nowMs += isSynced ? 2 : 0
      },
      sync: () => {
        calls.syncs++
        nowMs += 0.25
      },
      close: () => {
        calls.closed++
      },
    }),
  })
  t.match(speed, { directory: '/data', syncs: 500, syncP50Ms: 0.25, megabytesPerSecond: 524.3 })
  t.strictSame(calls, { writes: 564, syncs: 500, closed: 2 })
})

t.test('on the real disk it leaves nothing behind, and a bad directory is refused', async t => {
  const { scratchFile } = processHost
  let nowMs = 0
  const clock = { wallMs: () => 0, monotonicMs: () => (nowMs += 50) }
  const before = await processHost.list(tmpdir())
  const speed = probeDisk({ directory: tmpdir(), clock, open: scratchFile })
  t.ok(speed.syncs > 0 && speed.bytes > 0)
  const after = await processHost.list(tmpdir())
  const left = after.filter(name => name.startsWith('.sluice-bench') && !before.includes(name))
  t.strictSame(left, [])
  t.throws(() => scratchFile(`${tmpdir()}/is/not/there`, false), { code: 'INVALID_ARGUMENT' })
})
