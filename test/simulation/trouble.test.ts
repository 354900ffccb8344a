/**
 * Trouble of every kind begins, is felt, and is over when it is said to be over.
 */
import t from 'tap'
import { SimWorld } from './sim-world.ts'
import type { TroubleKind } from './trouble.ts'
import { makeTrouble } from './trouble.ts'

const kinds: TroubleKind[] = ['crash', 'power', 'cut', 'deaf', 'eio', 'full', 'slow', 'clock']

/** Half of the crashes wait for a call to the disk, of which there is none here: then none comes. */
const seedOf: Partial<Record<TroubleKind, number>> = { crash: 2, power: 2 }

for (const kind of kinds) {
  t.test(`trouble of kind ${kind} is felt, and healed afterwards`, async t => {
    const world = new SimWorld({ seed: seedOf[kind] ?? 1 })
    const wallMs = world.node('server').clock.wallMs()
    let starts = 0
    const options = { server: 'server', client: 'client', kinds: [kind], maxRounds: 1 }
    const lengths = { calmMs: 10, troubleMs: 1000 }
    const start = () => {
      world.node('server')
      starts++
    }
    const hooks = { isOver: () => false, start }
    const felt = new Set<string>()
    const watch = async () => {
      for (let look = 0; look < 2000; look++) {
        for (const name of whatIsWrong(world, wallMs)) felt.add(name)
        await world.sleep(1)
      }
    }
    await world.run(async () => {
      await Promise.all([makeTrouble(world, { ...options, ...lengths, ...hooks }), watch()])
    })
    t.same([...felt].sort(), expected[kind])
    t.same(whatIsWrong(world, wallMs), kind === 'clock' ? ['clock'] : [])
    t.same([...world.strikes], strikesAtOnce.includes(kind) ? [[kind, 1]] : [])
    t.equal(starts, kind === 'crash' || kind === 'power' ? 1 : 0)
  })
}

/** The others wait for calls to the disk, of which there is none here. */
const strikesAtOnce: readonly TroubleKind[] = ['crash', 'power', 'cut', 'deaf', 'clock']

const expected: Partial<Record<TroubleKind, string[]>> = {
  crash: ['dead'],
  power: ['dead', 'off'],
  cut: ['deaf', 'mute'],
  deaf: ['mute'],
  eio: ['fault'],
  full: ['full'],
  slow: ['fault'],
  clock: ['clock'],
}

function whatIsWrong(world: SimWorld, wallMs: number): string[] {
  const disk = world.diskOf('server')
  const { links } = world.network
  const isOff = links.isOff('server')
  const wrong: Record<string, boolean> = {
    dead: !world.isRunning('server'),
    off: isOff,
    deaf: !isOff && !links.reaches('client', 'server'),
    mute: !links.reaches('server', 'client'),
    fault: disk.fault !== undefined,
    full: disk.capacityBytes < 1e9,
    clock: world.isRunning('server') && hasJumped(world, wallMs),
  }
  return Object.keys(wrong).filter(name => wrong[name] === true)
}

function hasJumped(world: SimWorld, wallMs: number): boolean {
  const elapsedMs = world.node('server').clock.wallMs() - wallMs
  return Math.abs(elapsedMs - world.scheduler.nowMs) > 1
}
