/** Provenance: what a lane writes is no change of the tree, what a person writes is. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { treeFacts } from '../../../bench/support/provenance.ts'

t.test('recorded results do not count as a changed tree, sources do', async t => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-provenance-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  const git = (...words: string[]): string => {
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
    return execFileSync('git', [...author, ...words], { cwd: root, encoding: 'utf8' }).trim()
  }
  const write = (folder: string, text: string) => writeFile(join(root, folder, 'a.json'), text)
  const folders = ['bench/results', 'test/results', 'bench']
  for (const folder of folders) {
    await mkdir(join(root, folder), { recursive: true })
    await write(folder, '1')
  }
  git('init', '-q')
  git('add', '.')
  git('commit', '-q', '-m', 'one')
  const commit = git('rev-parse', 'HEAD')
  for (const folder of folders.slice(0, 2)) await write(folder, '2')
  t.strictSame(treeFacts(root), { commit, treeChanged: false })
  await write('bench', '2')
  t.strictSame(treeFacts(root), { commit, treeChanged: true })
})

t.test('where git cannot answer nothing is claimed', async t => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-provenance-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  t.strictSame(treeFacts(root), { commit: 'unknown', treeChanged: true })
})
