/**
 * Redis client: RESP2 over one pipelined connection; commands are answered in the order in which
 * they were given.
 *
 * Always true: one promise per command; an error answer rejects its promise alone; a lost
 * connection rejects all that wait.
 * Used by redis.ts.
 */
import { PipelinedSocket } from './pipelined-socket.ts'

export type Reply = number | null | Buffer | Error | Reply[]

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

const carriageReturn = 13

/** A list that is not complete. */
interface OpenList {
  readonly items: Reply[]
  readonly count: number
}

/** Reads replies out of what comes in; a long list is read as it comes and never twice. */
export class ReplyReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #open: OpenList[] = []
  #number = 0

  begin(bytes: Buffer): void {
    this.#bytes = bytes
    this.#at = 0
  }

  /** Bytes that are not needed any more. */
  get used(): number {
    return this.#at
  }

  /** undefined = not all of it is there. */
  next(): Reply | undefined {
    for (;;) {
      const item = this.#item()
      if (item === undefined) return undefined
      if (item !== 'list') {
        const whole = this.#close(item)
        if (whole !== undefined) return whole
      }
    }
  }

  /** Puts `item` where it belongs; answers the outermost reply where that is complete now. */
  #close(item: Reply): Reply | undefined {
    let done = item
    for (;;) {
      const list = this.#open.at(-1)
      if (list === undefined) return done
      list.items.push(done)
      if (list.items.length < list.count) return undefined
      this.#open.pop()
      done = list.items
    }
  }

  /** The next item; 'list' = one was opened. */
  #item(): Reply | 'list' | undefined {
    const type = this.#bytes[this.#at]
    if (type === 0x2b || type === 0x2d) return this.#text(type === 0x2d)
    const line = this.#numberLine()
    if (line < 0) return undefined
    if (type === 0x24) return this.#bulk(line)
    this.#at = line
    return type === 0x2a ? this.#list(this.#number) : this.#number
  }

  #text(isError: boolean): Buffer | Error | undefined {
    const end = this.#bytes.indexOf('\r\n', this.#at)
    if (end < 0) return undefined
    const text = this.#bytes.subarray(this.#at + 1, end)
    this.#at = end + 2
    return isError ? new Error(String(text)) : text
  }

  /**
   * Reads the number of a line into `#number`; answers where the next line begins, −1 = not all is
   * there. Byte by byte: a search would cost more than these few.
   */
  #numberLine(): number {
    const bytes = this.#bytes
    let at = this.#at + 1
    const isNegative = bytes[at] === 0x2d
    if (isNegative) at++
    let number = 0
    for (; at < bytes.length; at++) {
      const digit = bytes[at] ?? 0
      if (digit === carriageReturn) break
      number = number * 10 + digit - 0x30
    }
    this.#number = isNegative ? -number : number
    return at + 1 < bytes.length ? at + 2 : -1
  }

  #bulk(start: number): Buffer | null | undefined {
    const length = this.#number
    const end = start + length
    if (length >= 0 && end + 2 > this.#bytes.length) return undefined
    this.#at = length < 0 ? start : end + 2
    return length < 0 ? null : this.#bytes.subarray(start, end)
  }

  #list(count: number): Reply | 'list' {
    if (count < 0) return null
    if (count === 0) return []
    this.#open.push({ items: [], count })
    return 'list'
  }
}

export class RedisClient {
  readonly #reader = new ReplyReader()
  #waiting: Waiting[] = []
  #head = 0
  #socket: PipelinedSocket | null = null
  #ended: Error | null = null

  static async open(address: string): Promise<RedisClient> {
    const client = new RedisClient()
    client.#socket = await PipelinedSocket.open(address, {
      onData: bytes => client.#onData(bytes),
      onEnd: error => client.#onEnd(error),
    })
    return client
  }

  /** One command. @throws Error with what the server said */
  command(...words: (string | Uint8Array)[]): Promise<Reply> {
    const socket = this.#socket
    if (socket === null || this.#ended !== null) {
      return Promise.reject(this.#ended ?? new Error('not connected'))
    }
    socket.text(`*${words.length}\r\n`)
    for (const word of words) {
      const size = typeof word === 'string' ? word.length : word.byteLength
      socket.text(`$${size}\r\n`)
      if (typeof word === 'string') socket.text(word)
      else socket.bytes(word)
      socket.text('\r\n')
    }
    return this.#answer()
  }

  /** A command whose bytes but for the last word are always the same; `head` ends before its size. */
  prepared(head: string, last: Uint8Array): Promise<Reply> {
    const socket = this.#socket
    if (socket === null || this.#ended !== null) {
      return Promise.reject(this.#ended ?? new Error('not connected'))
    }
    socket.text(`${head}$${last.byteLength}\r\n`)
    socket.bytes(last)
    socket.text('\r\n')
    return this.#answer()
  }

  close(): void {
    this.#socket?.close()
    this.#onEnd(new Error('closed'))
  }

  #answer(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  #onData(bytes: Buffer): number {
    this.#reader.begin(bytes)
    for (let reply = this.#reader.next(); reply !== undefined; reply = this.#reader.next()) {
      const waiting = this.#waiting[this.#head++]
      if (reply instanceof Error) waiting?.reject(reply)
      else waiting?.resolve(reply)
    }
    if (this.#head > 4096 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return this.#reader.used
  }

  #onEnd(error: Error): void {
    if (this.#ended !== null) return
    this.#ended = error
    for (const waiting of this.#waiting.slice(this.#head)) waiting.reject(error)
    this.#waiting = []
    this.#head = 0
  }
}

/** The bytes of a command up to its last word. */
export function preparedHead(words: readonly string[]): string {
  const parts = words.map(word => `$${word.length}\r\n${word}\r\n`)
  return `*${words.length + 1}\r\n${parts.join('')}`
}
