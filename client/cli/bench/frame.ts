/**
 * Frame: what every bench does around its own loop: finds out the conditions, watches the meter,
 * takes the processor time, and puts the report together.
 *
 *   conditions (disk first, alone) ─> load or read: meter + watch ─> figures ─> verify ─> report
 *
 * Always true: nothing else runs while the disk is measured; processor time and records are counted
 * over the same span, from the end of the warm-up to the last record.
 * Used by the bench commands of this room, which show and save the report by result-files.ts.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { CommandContext } from '../command.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import { type Conditions, findConditions, UsageSpan, type Used } from './conditions.ts'
import { BenchMeter, type Measured, type Warmup } from './meter.ts'
import type { ResultArgs } from './options.ts'
import type { ResultFiles } from './result-files.ts'
import { Watch } from './watch.ts'

export interface Figures extends Measured {
  readonly used: Used
}

export interface MeterPlan {
  readonly warmup: Warmup
  /** What the count stands for: `acked`, `read`. */
  readonly doing: string
}

export class Frame {
  readonly conditions: Conditions
  readonly brokerPid: number | null
  readonly files: ResultFiles
  readonly #context: CommandContext

  private constructor(
    context: CommandContext,
    found: { conditions: Conditions; brokerPid: number | null },
    files: ResultFiles,
  ) {
    this.#context = context
    this.conditions = found.conditions
    this.brokerPid = found.brokerPid
    this.files = files
  }

  /** @throws SluiceError INVALID_ARGUMENT where --disk cannot be written */
  static async open(context: CommandContext, args: ResultArgs): Promise<Frame> {
    const { disk, csv, html, 'json-file': json, 'broker-pid': brokerPid } = args
    const found = await findConditions(context, {
      disk: disk === 'none' ? null : disk,
      brokerPid,
    })
    return new Frame(context, found, { csv, html, json })
  }

  /**
   * Runs `work` under a meter; it counts, `finish` is called here when it is done.
   * @throws CommandFailure (exit code 1) where it ended before its warm-up did
   */
  async measure(plan: MeterPlan, work: (meter: BenchMeter) => Promise<void>): Promise<Figures> {
    const { world, terminal } = this.#context
    const span = new UsageSpan(terminal.host, this.brokerPid)
    const meter = new BenchMeter(world.clock, plan.warmup)
    meter.onWarm = () => span.begin()
    const watch = new Watch(this.#context, meter, plan.doing)
    try {
      meter.start()
      await work(meter)
    } finally {
      meter.finish()
      watch.stop()
    }
    const used = await span.end()
    const measured = meter.measured()
    requireMeasured(measured, plan)
    return { ...measured, used }
  }
}

/** Figures of no record would say that nothing was done, and they would be those of the warm-up. */
function requireMeasured({ records, warmup }: Measured, { warmup: planned, doing }: MeterPlan) {
  if (records > 0 || (planned.records === 0 && planned.ms === 0)) return
  const all = `all ${warmup.records} records ${doing} in ${warmup.seconds} s were warm-up`
  throw new CommandFailure(
    new SluiceError('UNKNOWN_SERVER_ERROR', `nothing was measured: ${all}`, {
      hint: 'give a shorter --warmup, more records (-n) or a longer --duration',
    }),
    exitCodes.unexpected,
  )
}
