/**
 * Local broker: the process behind a loopback URL, found through /proc: what it uses, and where its
 * data lie.
 *
 *   ws://127.0.0.1:9290 ── /proc/net/tcp ──> inode of the listening socket ── /proc/<pid>/fd ──> pid
 *
 * Always true: it only reads, and answers null where the broker is elsewhere, belongs to somebody
 * else or the system has no /proc.
 * Used by conditions.ts and bench connections.
 */
import type { Host } from '../terminal.ts'

export interface ProcessUsage {
  readonly cpuSeconds: number
  readonly rssBytes: number
}

/** sysconf(_SC_CLK_TCK) of every Linux that Node runs on. */
const ticksPerSecond = 100
const listening = '0A'
const loopbacks = ['localhost', '127.0.0.1', '[::1]', '::1']

/** Inodes of sockets that listen on `port`, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table.split('\n').flatMap(line => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    const isWanted = state === listening && local.endsWith(`:${wanted}`)
    return isWanted && inode !== undefined ? [inode] : []
  })
}

/** CPU seconds of the text of /proc/<pid>/stat; the name in it may hold blanks and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond
}

/** Resident bytes of the text of /proc/<pid>/status. */
export function rssBytesOf(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

/** What a process has used so far; null where it is not there. */
export async function usageOf(host: Host, pid: number): Promise<ProcessUsage | null> {
  const [stat, status] = await Promise.all([
    host.readText(`/proc/${pid}/stat`),
    host.readText(`/proc/${pid}/status`),
  ])
  if (stat === null || status === null) return null
  return { cpuSeconds: cpuSecondsOf(stat), rssBytes: rssBytesOf(status) }
}

function loopbackPort(server: string): number | null {
  const [, name = '', port] = /^wss?:\/\/(\[[^\]]+\]|[^:/]+):(\d+)/.exec(server) ?? []
  return port !== undefined && loopbacks.includes(name) ? Number(port) : null
}

async function holds(host: Host, pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const files = await host.list(`/proc/${pid}/fd`)
  for (const file of files) {
    const target = await host.linkTarget(`/proc/${pid}/fd/${file}`)
    if (target !== null && sockets.has(target)) return true
  }
  return false
}

/** The process that listens where the first of `servers` says. */
export async function findBroker(host: Host, servers: readonly string[]): Promise<number | null> {
  const port = loopbackPort(servers[0] ?? '')
  if (port === null) return null
  const tables = await Promise.all(['tcp', 'tcp6'].map(name => host.readText(`/proc/net/${name}`)))
  const inodes = tables.flatMap(table => listeningInodes(table ?? '', port))
  const sockets = new Set(inodes.map(inode => `socket:[${inode}]`))
  if (sockets.size === 0) return null
  const pids = (await host.list('/proc')).filter(name => /^\d+$/.test(name))
  for (const pid of pids) {
    const program = await host.linkTarget(`/proc/${pid}/exe`)
    if (program === null || !/node/.test(program)) continue
    if (await holds(host, pid, sockets)) return Number(pid)
  }
  return null
}

const defaultDirectory = 'sluice-data'

/** Value of `--name value` or `--name=value`. */
function flagIn(words: readonly string[], name: string): string | null {
  const at = words.findIndex(word => word === name || word.startsWith(`${name}=`))
  const word = words[at]
  if (word === undefined) return null
  return (word === name ? words[at + 1] : word.slice(name.length + 1)) || null
}

/** `data.dir` of a broker's config file, however it is nested or separated. */
export function dataDirectoryIn(configText: string): string | null {
  const find = (value: unknown, prefix: string): string | null => {
    if (typeof value !== 'object' || value === null) return null
    for (const [key, inner] of Object.entries(value)) {
      const name = `${prefix}${key.toLowerCase().replace(/[-_]/g, '.')}`
      if (name === 'data.dir' && typeof inner === 'string') return inner
      const found = name === 'data' ? find(inner, 'data.') : null
      if (found !== null) return found
    }
    return null
  }
  try {
    return find(JSON.parse(configText), '')
  } catch {
    return null
  }
}

/**
 * The data directory that the process was started with: named by a flag, its environment or its
 * config file, in this order, as the broker does; or the default one.
 */
export async function dataDirectoryOf(host: Host, pid: number): Promise<string | null> {
  const [line, environment, home] = await Promise.all([
    host.readText(`/proc/${pid}/cmdline`),
    host.readText(`/proc/${pid}/environ`),
    host.linkTarget(`/proc/${pid}/cwd`),
  ])
  if (line === null) return null
  const at = (path: string): string | null => {
    if (path.startsWith('/')) return path
    return home === null ? null : `${home}/${path.replace(/^\.\//, '')}`
  }
  const words = line.split('\0')
  const flag = flagIn(words, '--data-dir')
  if (flag !== null) return at(flag)
  const variable = (environment ?? '').split('\0').find(word => /^SLUICE_DATA_DIR=./.test(word))
  const file = at(flagIn(words, '--config') ?? '')
  const inFile = file === null ? null : dataDirectoryIn((await host.readText(file)) ?? '')
  const named = variable?.slice(variable.indexOf('=') + 1) ?? inFile ?? defaultDirectory
  const directory = at(named)
  // of a program that only listens there nothing of this is true
  if (directory === null || (await host.list(directory)).length === 0) return null
  return directory
}
