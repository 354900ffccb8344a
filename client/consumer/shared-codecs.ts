/**
 * Shared codecs: the one pair of codecs that a consumer decodes all its topics with.
 *
 * Always true: a codec given to the consumer wins; without one, all topic handles agree or the
 * consumer is refused, so that no topic is ever read with the codec of another.
 * Called by consumer.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { bytes } from '../codecs/codecs.ts'
import type { Codec } from '../types/codecs.ts'
import type { ConsumerOptions } from '../types/consuming.ts'

interface Handle<K, V> {
  readonly name: string
  readonly key?: Codec<K>
  readonly value?: Codec<V>
}
interface SharedCodecs<K, V> {
  readonly key: Codec<K> | undefined
  readonly value: Codec<V> | undefined
}

/**
 * None: the bytes themselves.
 * @throws SluiceError INVALID_ARGUMENT where handles differ in a codec that is not given
 */
export function sharedCodecs<K, V>(options: ConsumerOptions<K, V>): SharedCodecs<K, V> {
  const { topics = [], key, value } = options
  const handles = topics.filter(topic => typeof topic !== 'string') as readonly Handle<K, V>[]
  if (key === undefined) requireSame(handles, 'key')
  if (value === undefined) requireSame(handles, 'value')
  return { key: key ?? handles[0]?.key, value: value ?? handles[0]?.value }
}

function requireSame<K, V>(handles: readonly Handle<K, V>[], part: 'key' | 'value'): void {
  const [first] = handles
  const codec = first?.[part] ?? bytes()
  const other = handles.find(handle => (handle[part] ?? bytes()) !== codec)
  if (first === undefined || other === undefined) return
  const names = `"${first.name}" and "${other.name}"`
  const message = `consumer: topics ${names} have different ${part} codecs`
  throw new SluiceError('INVALID_ARGUMENT', message, {
    hint: 'one consumer for each pair of codecs, or give the consumer "key" and "value" of its own',
  })
}
