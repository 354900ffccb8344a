/**
 * WebSocket: bytes on a real socket after the handshake, to the real listener: however they are cut
 * into writes, the same messages arrive, those that RFC 6455 says; the connection always ends, and
 * the listener stays.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { realTimers } from '../../../protocol/real-world.ts'
import { webSocketNetwork } from '../../../protocol/transport/websocket.ts'
import type { Connection, ConnectionEvents, Listening } from '../../../protocol/world.ts'
import { opcodes, rawFrame, upgradeRequest } from '../../protocol/transport/harness.ts'
import { inPieces, mutated } from '../mutate.ts'
import { FuzzRandom } from '../random.ts'
import { referenceMessages } from '../reference-websocket.ts'
import { defaults, require, type Target, type TargetState } from '../target.ts'

const maxMessageBytes = 4096
const mostWrites = 24
const cuts = new FuzzRandom()
const turn = (): Promise<void> => new Promise(resolve => realTimers.endOfTurn(() => resolve()))

/** A message in fragments, with control frames between them. */
function messageFrames(random: FuzzRandom): Buffer[] {
  const frames: Buffer[] = []
  const fragments = 1 + random.size(5)
  for (let n = 0; n < fragments; n++) {
    const size = random.oneIn(20) ? random.between(3000, 5000) : random.size(200)
    const opcode = n > 0 ? opcodes.continuation : random.oneIn(12) ? opcodes.text : opcodes.binary
    frames.push(rawFrame(opcode, random.bytes(size), n === fragments - 1))
    if (!random.oneIn(4)) continue
    const control = random.oneIn(2) ? opcodes.ping : opcodes.pong
    frames.push(rawFrame(control, random.bytes(random.size(126))))
  }
  return frames
}

function make(random: FuzzRandom): Uint8Array {
  const frames = Array.from({ length: 1 + random.size(6) }, () => messageFrames(random)).flat()
  if (random.oneIn(4)) frames.push(rawFrame(opcodes.close, Uint8Array.of(3, 232)))
  if (random.oneIn(8)) frames.push(rawFrame(random.below(16), random.bytes(4), random.oneIn(2)))
  const bytes = Buffer.concat(frames)
  return random.oneIn(2) ? mutated(bytes, random) : bytes
}

/** What one connection of the listener saw. */
class Seen implements ConnectionEvents {
  readonly messages: string[] = []
  readonly ended: Promise<void>
  #end: () => void = () => {}

  constructor() {
    this.ended = new Promise(resolve => {
      this.#end = resolve
    })
  }
  onMessage(parts: Uint8Array[]): void {
    this.messages.push(Buffer.concat(parts).toString('hex'))
  }
  onText(): void {
    this.messages.push('text')
  }
  onDrain(): void {}
  onClose(): void {
    this.#end()
  }
}

class WebSocketState implements TargetState {
  readonly make = make
  readonly #listening: Listening
  readonly #waiting: ((seen: Seen) => void)[]

  private constructor(listening: Listening, waiting: ((seen: Seen) => void)[]) {
    this.#listening = listening
    this.#waiting = waiting
  }

  static async open(): Promise<WebSocketState> {
    const waiting: ((seen: Seen) => void)[] = []
    const onConnection = (_: Connection) => {
      const seen = new Seen()
      waiting.shift()?.(seen)
      return seen
    }
    const listening = await webSocketNetwork(realTimers).listen({
      host: '127.0.0.1',
      port: 0,
      subprotocol: 'sluice.v1',
      maxMessageBytes,
      maxConnections: 50,
      maxConnectionsPerAddress: 50,
      pingIntervalMs: 0,
      allowedOrigins: [],
      allowedHosts: [],
      onConnection,
      onHttp: () => ({ status: 404, contentType: 'text/plain', body: '' }),
      onRefused: () => {},
    })
    return new WebSocketState(listening, waiting)
  }

  async run(input: Uint8Array): Promise<string> {
    const expected = referenceMessages(input, maxMessageBytes)
    const whole = await this.#send([input])
    cuts.restart(input.length, input[0] ?? 0, input[input.length - 1] ?? 0)
    const pieces = inPieces(input, cuts).slice(0, mostWrites)
    const sent = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const cut = await this.#send([...pieces, input.subarray(sent)])
    const shown = (messages: readonly string[]) => messages.map(one => one.slice(0, 16)).join()
    require(whole.join() === expected.join(), () => `${shown(whole)}, not ${shown(expected)}`)
    require(cut.join() === expected.join(), () => `in pieces ${shown(cut)}, not ${shown(expected)}`)
    return expected.length > 0 ? 'messages' : 'no message'
  }

  /** The messages that arrive on a connection of its own. */
  async #send(pieces: readonly Uint8Array[]): Promise<readonly string[]> {
    const accepted = new Promise<Seen>(resolve => this.#waiting.push(resolve))
    const socket = connect({ port: this.#listening.port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    await once(socket, 'connect')
    socket.write(upgradeRequest())
    const seen = await accepted
    socket.resume()
    for (const piece of pieces) {
      if (piece.length > 0 && !socket.destroyed) socket.write(piece)
      await turn()
    }
    socket.end()
    await seen.ended
    socket.destroy()
    await closed
    return seen.messages
  }

  close(): Promise<void> {
    return this.#listening.close()
  }
}

export const websocket: Target = {
  ...defaults,
  name: 'websocket',
  reaches: ['messages', 'no message'],
  weight: 1000,
  maxMs: 1000,
  maxAllocatedBytes: 2 ** 24,
  executionsPerState: 500,
  open: () => WebSocketState.open(),
}
