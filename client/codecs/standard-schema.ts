/**
 * Standard Schema: the common interface of zod, valibot, arktype and others (standardschema.dev,
 * version 1), as far as it is used here: types, and one function that asks a schema.
 *
 * Always true: nothing of any validator is imported; only synchronous validation is accepted,
 * because encoding happens inside `send` and must not reorder records.
 * Called by codecs.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { CodecContext } from '../types/codecs.ts'

export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] }

export interface StandardSchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type Failure = 'ENCODE_FAILED' | 'DECODE_FAILED'

/** What the schema makes of `value`; without a schema, `value`. @throws SluiceError `failure` */
export function applySchema<T>(
  schema: StandardSchema<T> | undefined,
  value: unknown,
  context: CodecContext,
  failure: Failure,
): T {
  if (schema === undefined) return value as T
  const result = validate(schema, value, context, failure)
  if ('then' in result) {
    // Nobody waits for it; a rejection must not end the process.
    result.then(undefined, () => undefined)
    throw new SluiceError(failure, `The schema of the ${context.part} validates asynchronously.`, {
      topic: context.topic,
      hint: 'Codecs validate synchronously; check asynchronously before send or after receipt.',
    })
  }
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(describeIssue).join('; ')
  throw new SluiceError(failure, `The ${context.part} does not fit its schema: ${issues}`, {
    topic: context.topic,
  })
}

function validate<T>(
  schema: StandardSchema<T>,
  value: unknown,
  context: CodecContext,
  failure: Failure,
): StandardSchemaResult<T> | PromiseLike<StandardSchemaResult<T>> {
  try {
    return schema['~standard'].validate(value)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SluiceError(failure, `The schema of the ${context.part} failed: ${reason}`, {
      topic: context.topic,
      cause: error,
    })
  }
}

function describeIssue(issue: StandardSchemaIssue): string {
  const path = (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part))
  return path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}`
}
