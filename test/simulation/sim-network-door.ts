/**
 * SimNetworkDoor: the Network that one process of a simulated machine sees.
 *
 * Always true: it obeys the contract of protocol/world.ts; a dial ends in a connection, a refusal
 * or its timeout, and an end that the dialler gave up is reset when its peer next sends.
 * Made by sim-world.ts for each generation.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type {
  Connection,
  ConnectionEvents,
  DialOptions,
  Listening,
  ListenOptions,
  Network,
} from '../../protocol/world.ts'
import type { Generation } from './generation.ts'
import { connectedPair, type SimConnection } from './sim-connection.ts'
import type { Listener, SimNetwork } from './sim-network.ts'

type Attach = (connection: Connection) => ConnectionEvents

const loopback = ['127.0.0.1', 'localhost', '::1', '[::1]']
const anyAddress = ['0.0.0.0', '::', '[::]']

export class SimNetworkDoor implements Network {
  readonly #network: SimNetwork
  readonly #generation: Generation

  constructor(network: SimNetwork, generation: Generation) {
    this.#network = network
    this.#generation = generation
  }

  dial(options: DialOptions, attach: Attach): Promise<Connection> {
    const url = new URL(options.url)
    const to = loopback.includes(url.hostname) ? this.#machine : url.hostname
    const dial = new Dial({
      network: this.#network,
      generation: this.#generation,
      options,
      to,
      port: Number(url.port || 80),
      attach,
    })
    return dial.begin()
  }

  async listen(options: ListenOptions): Promise<Listening> {
    const { host } = options
    const isLoopback = loopback.includes(host)
    if (!isLoopback && !anyAddress.includes(host) && host !== this.#machine) {
      throw new SluiceError('BAD_LISTEN_ADDRESS', `${this.#machine} has no address ${host}`)
    }
    const port = options.port === 0 ? this.#network.ephemeralPort(this.#machine) : options.port
    if (this.#network.listenerAt(this.#machine, port) !== undefined) {
      throw new SluiceError('PORT_TAKEN', `${host}:${port} is in use on ${this.#machine}`)
    }
    const { generation, machine } = { generation: this.#generation, machine: this.#machine }
    const accepted = new Set<SimConnection>()
    const listener: Listener = { generation, machine, port, isLoopback, options, accepted }
    if (!generation.alive) return new Promise(() => {})
    this.#network.addListener(listener)
    return this.#listening(listener, host)
  }

  #listening(listener: Listener, host: string): Listening {
    return {
      host,
      port: listener.port,
      stopAccepting: () => this.#network.removeListener(listener),
      close: async () => {
        this.#network.removeListener(listener)
        for (const connection of listener.accepted) connection.terminate()
        const { scheduler } = this.#network
        const closed = { label: 'network.closed', generation: this.#generation }
        await new Promise<void>(resolve => scheduler.after(0.05, resolve, closed))
      },
    }
  }

  get #machine(): string {
    return this.#generation.name
  }
}

interface DialPlan {
  readonly network: SimNetwork
  readonly generation: Generation
  readonly options: DialOptions
  readonly to: string
  readonly port: number
  readonly attach: Attach
}

/** One attempt to connect: there and back again, or not. */
class Dial {
  readonly #plan: DialPlan
  #settled = false
  #end: SimConnection | undefined
  #timeout: { cancel(): void } | undefined
  #resolve: (connection: Connection) => void = () => {}
  #reject: (error: SluiceError) => void = () => {}

  constructor(plan: DialPlan) {
    this.#plan = plan
  }

  begin(): Promise<Connection> {
    const { options, generation } = this.#plan
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      if (!generation.alive) return
      const late = (): void => this.#fail('NETWORK_ERROR', `no answer in ${options.timeoutMs} ms`)
      const label = { label: 'network.dial-timeout', generation }
      this.#timeout = this.#plan.network.scheduler.after(options.timeoutMs, late, label)
      this.#travel('there', () => this.#arrive())
    })
  }

  #arrive(): void {
    const { network, to, port, options } = this.#plan
    const listener = network.listenerAt(to, port)
    const isReachable = listener?.isLoopback !== true || to === this.#machine
    if (listener === undefined || !isReachable) {
      const why = listener === undefined ? 'nobody listens there' : 'it listens on loopback only'
      this.#travel('back', () => this.#fail('NETWORK_ERROR', `connection refused: ${why}`))
      return
    }
    const peer = `${this.#machine}:${network.ephemeralPort(this.#machine)}`
    const refusal = refusalOf(listener, options, this.#machine)
    if (refusal === undefined) this.#accept(listener, peer)
    else {
      listener.options.onRefused(refusal, peer)
      const code = refusal === wrongProtocol ? 'PROTOCOL_MISMATCH' : 'NETWORK_ERROR'
      this.#travel('back', () => this.#fail(code, refusal))
    }
  }

  #accept(listener: Listener, peer: string): void {
    const { network, generation, to, port, options } = this.#plan
    const { maxMessageBytes } = options
    const near = { generation, machine: this.#machine, peer: `${to}:${port}`, maxMessageBytes }
    const { maxMessageBytes: limit, pingIntervalMs } = listener.options
    const far = { generation: listener.generation, machine: to, peer, maxMessageBytes: limit }
    const [nearEnd, farEnd] = connectedPair(network, near, far)
    this.#end = nearEnd
    network.keep(nearEnd)
    network.keep(farEnd)
    listener.accepted.add(farEnd)
    farEnd.attach(listener.options.onConnection(farEnd))
    if (pingIntervalMs > 0) pingRegularly(network, farEnd, nearEnd, pingIntervalMs)
    this.#travel('back', () => this.#connected(nearEnd))
  }

  #connected(end: SimConnection): void {
    if (this.#settled || !this.#plan.generation.alive) return
    if (!end.isOpen) {
      this.#fail('NETWORK_ERROR', 'connection reset')
      return
    }
    this.#settled = true
    this.#timeout?.cancel()
    const events = this.#plan.attach(end)
    end.attach(events)
    this.#resolve(end)
  }

  #fail(code: 'NETWORK_ERROR' | 'PROTOCOL_MISMATCH', why: string): void {
    if (this.#settled || !this.#plan.generation.alive) return
    this.#settled = true
    this.#timeout?.cancel()
    this.#end?.drop('the dialler gave up')
    this.#reject(new SluiceError(code, `${this.#plan.options.url}: ${why}`))
  }

  /** One way of the handshake, which waits where the wire is cut. */
  #travel(way: 'there' | 'back', then: () => void): void {
    const { network, to } = this.#plan
    const [from, target] = way === 'there' ? [this.#machine, to] : [to, this.#machine]
    const arrive = (): void => {
      if (this.#settled) return
      if (network.links.reaches(from, target)) then()
      else network.links.whenChanged(arrive)
    }
    const delay = network.links.drawDelay(from, target, 0)
    network.scheduler.after(delay, arrive, { label: 'network.dial' })
  }

  get #machine(): string {
    return this.#plan.generation.name
  }
}

const wrongProtocol = 'the subprotocol is not offered here'

function refusalOf(listener: Listener, dial: DialOptions, from: string): string | undefined {
  const { subprotocol, maxConnections, maxConnectionsPerAddress } = listener.options
  for (const old of listener.accepted) if (!old.isOpen) listener.accepted.delete(old)
  if (dial.subprotocol !== subprotocol) return wrongProtocol
  const notNow = listener.options.refuseNow?.()
  if (typeof notNow === 'string') return notNow
  if (listener.accepted.size >= maxConnections) return 'too many connections'
  const same = [...listener.accepted].filter(open => open.peer.startsWith(`${from}:`)).length
  if (same >= maxConnectionsPerAddress) return 'too many connections of one address'
  return undefined
}

/** The listener's pings: two in a row without an answer end the connection. */
function pingRegularly(
  network: SimNetwork,
  near: SimConnection,
  far: SimConnection,
  intervalMs: number,
): void {
  let missed = 0
  const ping = (): void => {
    if (!near.isOpen) return
    const { links } = network
    const isAnswered =
      far.answersPings &&
      links.reaches(near.machine, far.machine) &&
      links.reaches(far.machine, near.machine)
    missed = isAnswered ? 0 : missed + 1
    if (missed >= 2) near.fail(new Error('the peer answers no ping'))
    else plan()
  }
  const plan = (): void => {
    const options = { label: 'network.ping', generation: near.generation }
    network.scheduler.after(intervalMs, ping, options)
  }
  plan()
}
