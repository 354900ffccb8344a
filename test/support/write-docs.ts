/**
 * WriteDocs: `npm run docs`. Makes the generated parts of README.md anew from the tables in the
 * code, and the protocol page from the message schemas. Run it after a change to broker/config/,
 * broker/metrics/, protocol/errors.ts or protocol/messages/; tests say when.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withParts } from './docs.ts'
import { pagePath, renderProtocolPage } from './protocol-page.ts'
import { root } from './repository.ts'

const path = join(root, 'README.md')
writeFileSync(path, withParts(readFileSync(path, 'utf8')))
writeFileSync(join(root, pagePath), renderProtocolPage())
