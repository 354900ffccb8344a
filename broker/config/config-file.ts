/**
 * Config file: JSON to a flat list of keys and texts. Objects nest: `{"topic": {"retention.ms":
 * "7d"}}` is `topic.retention.ms`. The only user of zod; loaded only where there is a file.
 *
 * Always true: what leaves here has the shape of settings; whether the keys exist is
 * load-config.ts's question.
 * Called by load-config.ts.
 */
import { z } from 'zod'
import { nestsDeeperThan } from '../../protocol/bytes/json-nesting.ts'
import { SluiceError } from '../../protocol/errors.ts'

type Scalar = string | number | boolean
type Node = Scalar | readonly Scalar[] | { readonly [key: string]: Node }

const scalar = z.union([z.string(), z.number(), z.boolean()])
const node: z.ZodType<Node> = z.lazy(() =>
  z.union([scalar, z.array(scalar), z.record(z.string(), node)]),
)
const fileShape = z.record(z.string(), node)

/** Deeper than any setting's name; what follows calls itself once per level. */
const maxNesting = 16

const refuse = (path: string, message: string): SluiceError =>
  new SluiceError('INVALID_ARGUMENT', `config file ${path}: ${message}`, {
    hint: 'a config file is one JSON object of settings: {"data.dir": "/var/lib/sluice"}',
  })

/** @throws SluiceError INVALID_ARGUMENT where the file is not JSON or not an object of settings */
export function readConfigFile(text: string, path: string): [string, string][] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw refuse(path, error instanceof Error ? error.message : 'not JSON')
  }
  if (nestsDeeperThan(text, maxNesting)) throw refuse(path, `nests deeper than ${maxNesting}`)
  const checked = fileShape.safeParse(parsed)
  if (!checked.success) {
    const issue = checked.error.issues[0]
    throw refuse(path, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'wrong shape'}`)
  }
  return flatten(checked.data, '')
}

function flatten(object: { readonly [key: string]: Node }, prefix: string): [string, string][] {
  return Object.entries(object).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${key}`
    if (Array.isArray(value)) return [[name, value.join(',')]]
    if (typeof value === 'object') return flatten(value as { [key: string]: Node }, `${name}.`)
    return [[name, String(value)]]
  })
}
