/**
 * SimCompression: none and gzip, synchronously, with the codes of the real one.
 *
 * Always true: the same bytes compress to the same bytes in every run.
 * Made by sim-world.ts where a scenario gives no other.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { SluiceError } from '../../protocol/errors.ts'
import type { Compression, CompressionCodec } from '../../protocol/world.ts'

export class SimCompression implements Compression {
  canRead(codec: CompressionCodec): boolean {
    return codec === 'none' || codec === 'gzip'
  }

  canWrite(codec: CompressionCodec): boolean {
    return this.canRead(codec)
  }

  compress(codec: CompressionCodec, bytes: Uint8Array): Uint8Array {
    this.#requireKnown(codec)
    return codec === 'none' ? bytes : plain(gzipSync(bytes))
  }

  decompress(codec: CompressionCodec, bytes: Uint8Array, maxBytes: number): Uint8Array {
    this.#requireKnown(codec)
    if (codec === 'none') return bytes
    try {
      return plain(gunzipSync(bytes, { maxOutputLength: maxBytes }))
    } catch (cause) {
      const message = `not gzip, or more than ${maxBytes} bytes of content`
      throw new SluiceError('CORRUPT_MESSAGE', message, { cause })
    }
  }

  #requireKnown(codec: CompressionCodec): void {
    if (this.canRead(codec)) return
    const message = `the simulator has no ${codec}, only none and gzip`
    throw new SluiceError('UNSUPPORTED_COMPRESSION_TYPE', message)
  }
}

/** A Buffer's slice() is a view; callers get the plain type. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
