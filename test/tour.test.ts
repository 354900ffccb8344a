/**
 * The README opens the code with a tour, the way of one record file by file. Whoever moves or
 * renames a stop learns here that the README still sends readers to the old place.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readSource, root } from './support/repository.ts'
import { declares, tourStops } from './support/tour.ts'

t.test('the tour goes from the producer through the broker to the consumer', async t => {
  const files = tourStops(readSource('README.md')).map(({ file }) => file)
  const landmarks = [
    /^client\/producer\//,
    /^client\/producer\/sender\.ts$/,
    /^broker\/server\/handlers\/produce\.ts$/,
    /^broker\/replication\/partition\.ts$/,
    /^broker\/storage\/log\.ts$/,
    /^broker\/storage\/segment[^/]*\.ts$/,
    /^broker\/server\/handlers\/fetch\.ts$/,
    /^client\/consumer\//,
  ]
  const places = landmarks.map(landmark => files.findIndex(file => landmark.test(file)))
  t.notOk(places.includes(-1), 'every landmark is on it')
  t.same(
    places,
    [...places].sort((a, b) => a - b),
    'in this order',
  )
})

t.test('every file of the tour is there and has the function that the tour names', async t => {
  for (const { file, name } of tourStops(readSource('README.md'))) {
    const isThere = existsSync(join(root, file))
    t.ok(isThere, `${file} is there`)
    if (isThere) t.ok(declares(readSource(file), name), `${file} has ${name}`)
  }
})

t.test('a stop that is gone is noticed', async t => {
  const source =
    'export class Log {\n  async appendAsLeader(batch: Uint8Array) {}\n  #roll() {}\n}\n'
  t.ok(declares(source, 'appendAsLeader'))
  t.ok(declares(source, 'roll'))
  t.notOk(declares(source, 'append'), 'a part of a name is not the name')
  t.notOk(declares('  this.appendAsLeader(batch)\n', 'appendAsLeader'), 'a call is no declaration')
  t.same(tourStops('## The tour\n| 1 | `a/b.ts` | `send` | why |\n## Next\n'), [
    { file: 'a/b.ts', name: 'send' },
  ])
})
