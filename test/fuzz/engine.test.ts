/** The engine on targets that are wrong on purpose: each kind of wrong is found, with its input. */
import t from 'tap'
import { SluiceError } from '../../protocol/errors.ts'
import { Engine, signatureOf } from './engine.ts'
import { FuzzRandom } from './random.ts'
import { defaults, type Target } from './target.ts'

const range = { seed: 5, from: 0, to: 300 }

/** A target whose inputs are one byte, run by `run`. */
function targetOf(run: (byte: number) => string | Promise<string>): Target {
  return {
    ...defaults,
    name: 'planted',
    weight: 1,
    maxAllocatedBytes: 2 ** 20,
    reaches: [],
    open: async () => ({
      make: random => Uint8Array.of(random.below(100)),
      run: input => run(input[0] ?? 0),
    }),
  }
}

const whatIn = async (run: (byte: number) => string | Promise<string>) => {
  const { findings } = await new Engine(targetOf(run)).run(range)
  return findings.map(({ what, inputBase64 }) => [what, Buffer.from(inputBase64, 'base64')[0]])
}

t.test('what is thrown, at once or later, is found once for each flaw', async t => {
  const thrower = (byte: number) => {
    if (byte === 42) throw new TypeError(`no ${Math.trunc(byte)} of it`)
    return 'fine'
  }
  t.same(await whatIn(thrower), [['TypeError: no 42 of it', 42]])
  t.same(await whatIn(async byte => thrower(byte)), [['TypeError: no 42 of it', 42]])
  const verdict = (byte: number) => {
    if (byte === 42) throw new SluiceError('INVALID_REQUEST', 'let through by a target')
    return 'fine'
  }
  t.equal((await whatIn(verdict)).length, 1)
})

t.test('a rejection that nobody handles is found', async t => {
  const leaky = async (byte: number) => {
    if (byte === 42) void Promise.reject(new Error('left alone'))
    await new Promise(resolve => setImmediate(resolve))
    return 'fine'
  }
  t.same(await whatIn(leaky), [['Error: left alone', 42]])
})

t.test('what is slow, or takes more memory than allowed, is found', async t => {
  const slow = (byte: number) => {
    const usedMs = () => process.cpuUsage().user / 1000
    const end = usedMs() + (byte === 42 ? 150 : 0)
    while (usedMs() < end) Math.sqrt(2)
    return 'fine'
  }
  t.same(await whatIn(slow), [['is slow', 42]])
  let kept: unknown
  const hungry = (byte: number) => {
    kept = byte === 42 ? new Uint8Array(3 * 2 ** 20) : kept
    return 'fine'
  }
  t.same(await whatIn(hungry), [['takes too much memory', 42]])
  t.ok(kept)
})

t.test('an execution is the same whenever it is asked for', async t => {
  const inputs: number[] = []
  const target = targetOf(byte => {
    inputs.push(byte)
    return byte > 50 ? 'high' : 'low'
  })
  const { executions, stages } = await new Engine(target).run(range)
  t.equal(executions, 300)
  t.equal((stages['high'] ?? 0) + (stages['low'] ?? 0), 300)
  await new Engine(target).run({ ...range, from: 250 })
  t.same(inputs.slice(300), inputs.slice(250, 300), 'a later range')
  const again = await new Engine(target).inputOf(range.seed, 123)
  t.equal(again[0], inputs[123], 'one by its number')
  const other = await new Engine(target).inputOf(range.seed + 1, 123)
  const third = await new Engine(target).inputOf(range.seed + 2, 123)
  t.notSame([other[0], third[0]], [again[0], again[0]], 'another seed draws anew')
})

t.test('draws stay in their range, and numbers in a finding do not make it another', async t => {
  const random = new FuzzRandom(1, 2)
  for (let n = 0; n < 1000; n++) {
    random.restart(1, 2, n)
    if (!Number.isSafeInteger(random.safeInteger())) t.fail('not a safe integer')
    const size = random.size(100)
    if (size < 0 || size >= 100) t.fail(`size ${size}`)
  }
  const [a, b] = ['offset 17 is gone', 'offset 4 is gone'].map(what => ({ target: 'x', what }))
  t.equal(signatureOf(a ?? { target: '', what: '' }), signatureOf(b ?? { target: '', what: '1' }))
})
