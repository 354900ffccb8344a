/**
 * Upgrade rules: who may open a WebSocket here, decided from the request's headers alone.
 *
 * Always true: a browser page reaches the broker only if its origin is allowed, and on a loopback
 * bind only under a name of this machine, so that a page that rebinds its own name to 127.0.0.1 is
 * refused.
 * Called by websocket-listen.ts for upgrades, and for plain HTTP (host only).
 */

export interface Refusal {
  readonly status: number
  /** One line, for the peer and for the log. */
  readonly reason: string
}

export interface UpgradeRules {
  readonly subprotocol: string
  readonly allowedOrigins: readonly string[]
  readonly allowedHosts: readonly string[]
  /** The host as configured, and whether it turned out to be a loopback address. */
  readonly host: string
  readonly isLoopback: boolean
}

export interface UpgradeHeaders {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly upgrade?: string | undefined
  readonly 'sec-websocket-protocol'?: string | undefined
}

const shown = (value: string): string => JSON.stringify(value.slice(0, 80))

/** `127.0.0.1:9290` → `127.0.0.1`, `[::1]:9290` → `::1`, `LOCALHOST` → `localhost`. */
function nameOf(host: string): string {
  const name = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1] ?? host.replace(/^([^:]*):\d*$/, '$1')
  return name.toLowerCase()
}

export const isLoopbackName = (host: string): boolean => {
  const name = nameOf(host)
  return name === 'localhost' || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name)
}

export function hostRefusal(rules: UpgradeRules, host: string | undefined): Refusal | null {
  if (!rules.isLoopback) return null
  const name = nameOf(host ?? '')
  const allowed = ['localhost', '127.0.0.1', '::1', nameOf(rules.host)]
  if (allowed.includes(name) || rules.allowedHosts.some(other => nameOf(other) === name)) {
    return null
  }
  return { status: 403, reason: `Host ${shown(host ?? '')} is not a name of this broker` }
}

function originRefusal(rules: UpgradeRules, origin: string | undefined): Refusal | null {
  if (origin === undefined) return null
  if (rules.allowedOrigins.includes(origin)) return null
  return { status: 403, reason: `Origin ${shown(origin)} is not allowed` }
}

/** `null` where the upgrade may go on. */
export function upgradeRefusal(rules: UpgradeRules, headers: UpgradeHeaders): Refusal | null {
  const refused = hostRefusal(rules, headers.host) ?? originRefusal(rules, headers.origin)
  if (refused !== null) return refused
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return { status: 400, reason: 'only an upgrade to websocket is possible here' }
  }
  const offered = headers['sec-websocket-protocol']
  const names = (offered ?? '').split(',')
  if (names.some(name => name.trim() === rules.subprotocol)) return null
  const found = offered === undefined ? 'none' : shown(offered)
  return { status: 400, reason: `subprotocol ${rules.subprotocol} expected, ${found} offered` }
}
