/** By hand: node dist/test/integration/hostile/try.js ATTACK [full] */
import { hostileCases } from './hostile-cases.ts'
import { renderHostile, runHostile } from './hostile-run.ts'

const [names = '', size = 'fast'] = process.argv.slice(2)
for (const one of hostileCases) {
  if (names !== '' && !names.split(',').includes(one.attack)) continue
  const began = performance.now()
  try {
    console.log(renderHostile(await runHostile(one, size === 'full' ? one.full : one.fast)))
  } catch (error) {
    console.log(`CRASH ${one.attack}: ${String((error as Error).message).slice(0, 500)}`)
  }
  console.log(`       ${((performance.now() - began) / 1000).toFixed(1)} s`)
}
