/**
 * Watch: looks at a meter while it runs: closes its intervals, and says on stderr how it goes.
 *
 *   00:05  1,482,113 records/s   148.2 MB/s   p50 3.1 ms   p99 8.9 ms
 *
 * Always true: an interval is 200 ms in the first 20 seconds, then longer, so a series stays small
 * and a plot has points; a line comes every 5 s and never under -q or CI; its timer does not keep
 * the process alive.
 * Used by every bench.
 */
import type { TimerHandle } from '../../../protocol/world.ts'
import type { CommandContext } from '../command.ts'
import { Progress } from '../progress.ts'
import { showNumber } from '../units.ts'
import { Latencies } from './latencies.ts'
import type { BenchMeter } from './meter.ts'

const lineEveryMs = 5000

function intervalMs(elapsedMs: number): number {
  if (elapsedMs < 20_000) return 200
  return elapsedMs < 600_000 ? 1000 : 10_000
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const part = (value: number): string => String(value).padStart(2, '0')
  return `${part(Math.floor(seconds / 60))}:${part(seconds % 60)}`
}

export class Watch {
  readonly #context: CommandContext
  readonly #meter: BenchMeter
  readonly #progress: Progress
  readonly #line = new Latencies()
  #lineMs: number
  #lineRecords = 0
  #lineBytes = 0
  #timer: TimerHandle | null = null

  /** `doing` says what is counted: `acked`, `read`. */
  constructor(context: CommandContext, meter: BenchMeter, doing: string) {
    const { terminal, world, output } = context
    this.#context = context
    this.#meter = meter
    this.#lineMs = world.clock.monotonicMs()
    this.#progress = new Progress({
      terminal,
      world,
      quiet: output.quiet,
      lineEveryMs: null,
      line: () => `${showNumber(meter.records)} records ${doing}`,
    })
    this.#arm()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#progress.stop()
  }

  #arm(): void {
    const elapsedMs = this.#context.world.clock.monotonicMs() - this.#meter.startedMs
    this.#timer = this.#context.world.timers.after(intervalMs(elapsedMs), () => this.#tick(), {
      background: true,
    })
  }

  #tick(): void {
    const { isWarmup } = this.#meter.sample(this.#line)
    const nowMs = this.#context.world.clock.monotonicMs()
    if (nowMs - this.#lineMs >= lineEveryMs) this.#say(nowMs, isWarmup)
    this.#arm()
  }

  #say(nowMs: number, isWarmup: boolean): void {
    const { records, bytes, startedMs } = this.#meter
    const seconds = (nowMs - this.#lineMs) / 1000
    const rate = showNumber((records - this.#lineRecords) / seconds)
    const megabytes = showNumber((bytes - this.#lineBytes) / seconds / 1e6, 1)
    const p50 = showNumber(this.#line.at(50), 2)
    const p99 = showNumber(this.#line.at(99), 2)
    const warm = isWarmup ? '   (warm-up)' : ''
    const rates = `${rate} records/s   ${megabytes} MB/s`
    const latencies = `p50 ${p50} ms   p99 ${p99} ms`
    this.#progress.note(`${minutes(nowMs - startedMs)}  ${rates}   ${latencies}${warm}`)
    this.#line.reset()
    this.#lineMs = nowMs
    this.#lineRecords = records
    this.#lineBytes = bytes
  }
}
