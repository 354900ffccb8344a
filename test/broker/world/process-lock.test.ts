/**
 * Claims on a lock file where flock(1) is missing: the first one that counts holds it.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  flockDescriptor,
  givenUpClaim,
  holdingClaim,
  newClaim,
} from '../../../broker/world/process-lock.ts'

t.test('the oldest claim holds until it is given up', async t => {
  const [first, second] = [newClaim(readText), newClaim(readText)]
  t.not(first, second, 'two attempts of one process are two claims')
  t.equal(holdingClaim('', readText), undefined)
  t.equal(holdingClaim(first + second, readText), first)
  t.equal(holdingClaim(second + first, readText), second)
  t.equal(holdingClaim(first + second + givenUpClaim(first), readText), second)
  const all = first + second + givenUpClaim(second) + givenUpClaim(first)
  t.equal(holdingClaim(all, readText), undefined)
})

t.test(
  'a pid that was given to another process, and one of another boot, hold nothing',
  async t => {
    const [pid, start, boot, nonce] = newClaim(readText).trim().split(' ')
    t.equal(holdingClaim(`${pid} ${start} ${boot} x\n`, readText), `${pid} ${start} ${boot} x\n`)
    t.equal(holdingClaim(`${pid} ${start}9 ${boot} ${nonce}\n`, readText), undefined)
    t.equal(holdingClaim(`${pid} ${start} other ${nonce}\n`, readText), undefined)
    t.equal(holdingClaim(`${pid}\n`, readText), undefined)
    t.equal(holdingClaim('-1 0 0 0\n0 0 0 0\nnot a claim\n', readText), undefined)
  },
)

t.test('a machine without /proc asks ps and sysctl', { skip: !hasPs() }, async t => {
  const claim = newClaim(() => undefined)
  t.equal(claim.trim().split(' ').length, 4, claim)
})

t.test('flock(1) that is missing is told apart from a lock that is taken', async t => {
  t.equal(flockDescriptor('/x', 0, 'no-such-program-anywhere'), undefined)
  t.equal(flockDescriptor('/x', 0, 'true'), true)
  t.equal(flockDescriptor('/x', 0, 'false'), false)
  const broken = `${t.testdir()}`
  t.throws(() => flockDescriptor('/x', 0, broken), { name: 'DiskError', message: /flock/ })
})

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

function hasPs(): boolean {
  return newClaim(() => undefined).split(' ')[1] !== ''
}
