/**
 * check connection: does a broker answer, and how fast.
 *
 * Always true: the time to connect covers everything up to the broker's hello; the round trip is
 * that of one request on the open connection.
 */
import { compare, requireOrder, runCheck } from './check.ts'
import { defineCommand } from './command.ts'
import { parseDuration } from './units.ts'

export const checkConnectionCommand = defineCommand({
  usage: 'connection',
  about: 'Check that a broker answers, and how fast',
  examples: [
    ['$0 check connection -s prod:9290', 'OK, or CRITICAL where nobody answers within 10 s'],
    ['$0 check connection --warn 20ms --critical 200ms', 'stricter than 200 ms and 1 s'],
  ],
  positionals: {},
  options: {
    warn: {
      type: 'string',
      coerce: parseDuration,
      default: '200ms',
      describe: 'WARNING above this round trip',
    },
    critical: {
      type: 'string',
      coerce: parseDuration,
      default: '1s',
      describe: 'CRITICAL above this round trip',
    },
  },
  run: async (context, args) => {
    const limits = { warn: Number(args.warn), critical: Number(args.critical) }
    requireOrder('round trip', limits, 'above')
    const { clock } = context.world
    const beganMs = clock.monotonicMs()
    return runCheck(context, `connection ${context.servers.join(',')}`, async client => {
      const connectMs = clock.monotonicMs() - beganMs
      const askedMs = clock.monotonicMs()
      const broker = await client.admin.describeBroker({ signal: context.signal })
      const roundTripMs = clock.monotonicMs() - askedMs
      const text = `round trip ${roundTripMs.toFixed(1)} ms`
      const who = `broker ${broker.brokerId} (${broker.software}, cluster ${broker.clusterId})`
      return {
        subject: `connection ${broker.address}`,
        summary: `${who}, ${text}`,
        findings: compare(roundTripMs, limits, 'above', text),
        figures: [
          { name: 'round_trip', value: roundTripMs, unit: 'ms', ...limits },
          { name: 'connect', value: connectMs, unit: 'ms' },
        ],
      }
    })
  },
})
