/**
 * WriteDocs: `npm run docs`. Makes the generated parts of README.md anew from the tables in the
 * code. Run it after a change to broker/config/ or protocol/errors.ts; readme.test.ts says when.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withParts } from './docs.ts'
import { root } from './repository.ts'

const path = join(root, 'README.md')
writeFileSync(path, withParts(readFileSync(path, 'utf8')))
