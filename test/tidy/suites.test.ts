/**
 * Every test file is reached by exactly one suite, and every suite has its program; otherwise a
 * test could be written, stay green for ever, and never run.
 */
import t from 'tap'
import { filesUnder } from '../support/repository.ts'
import { suiteOf, suites, testFiles } from '../support/suites.ts'

t.test('every test file has a suite or a process of its own', async t => {
  const lost = testFiles().filter(path => suiteOf(path) === null)
  t.same(lost, [])
  t.ok(testFiles().length > 0)
})

t.test('every suite has a program that loads it and no other', async t => {
  const programs = filesUnder('test', /\.suite\.ts$/)
  t.same(
    programs,
    Object.keys(suites)
      .map(name => `test/${name}.suite.ts`)
      .sort(),
  )
})

t.test('the longest matching folder decides, so no file has two suites', async t => {
  t.equal(suiteOf('test/broker/storage/log.test.ts'), 'storage')
  t.equal(suiteOf('test/broker/server/produce.test.ts'), 'broker')
  t.equal(suiteOf('test/tour.test.ts'), 'tidy')
  t.equal(suiteOf('test/integration/kill.test.ts'), 'alone')
  t.equal(suiteOf('test/nowhere/x.test.ts'), null)
})

t.test('files are chosen by a part of their path', async t => {
  t.same(testFiles(['tidy/suites']), ['test/tidy/suites.test.ts'])
  t.same(testFiles(['no such path']), [])
})
