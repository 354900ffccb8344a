/**
 * Compression: Kafka's codecs on this machine: gzip by node:zlib, lz4 and snappy by optional
 * packages, zstd by node:zlib where it has it and else, for reading only, by zstd.ts.
 *
 * Always true: decompress never hands out more than `maxBytes` and, where the codec tells sizes
 * beforehand, takes no memory for more; whatever a library throws leaves here as a SluiceError.
 * Opened once per world; used through the Compression interface of protocol/world.ts.
 */
import { plainBytes } from '../bytes/plain.ts'
import { SluiceError } from '../errors.ts'
import type { Compression, CompressionCodec } from '../world.ts'
import { lz4UncompressedSize } from './lz4-size.ts'
import { openPackages, type Packages } from './packages.ts'
import { readSnappyBlocks, snappyBlockSize, writeSnappyFrame } from './snappy-framing.ts'
import { unpackZstd } from './zstd.ts'

type Pack = (bytes: Uint8Array) => Uint8Array
type Unpack = (bytes: Uint8Array, maxBytes: number) => Uint8Array

interface CodecDoor {
  /** null = cannot, and `hint` says what would help. */
  pack(): Pack | null
  unpack(): Unpack | null
  readonly hint: string
}

/** The codecs of this process. Packages that are missing are found out when they are asked for. */
export async function openCompression(): Promise<Compression> {
  return makeCompression(await openPackages())
}

/** As openCompression, on given packages; tests leave some out. */
export function makeCompression(packages: Packages): Compression {
  const doors: Record<CompressionCodec, CodecDoor> = {
    none: noneDoor,
    gzip: gzipDoor(packages),
    snappy: snappyDoor(packages),
    lz4: lz4Door(packages),
    zstd: zstdDoor(packages),
  }
  return {
    canRead: codec => doors[codec].unpack() !== null,
    canWrite: codec => doors[codec].pack() !== null,
    compress(codec, bytes) {
      const pack = doors[codec].pack()
      if (pack === null) throw unsupported(codec, 'written', doors[codec].hint)
      return pack(bytes)
    },
    decompress(codec, bytes, maxBytes) {
      const unpack = doors[codec].unpack()
      if (unpack === null) throw unsupported(codec, 'read', doors[codec].hint)
      return guarded(codec, maxBytes, () => unpack(bytes, maxBytes))
    },
  }
}

/** Node's error for output beyond maxOutputLength. */
const outputTooLarge = 'ERR_BUFFER_TOO_LARGE'

function guarded(codec: CompressionCodec, maxBytes: number, unpack: () => Uint8Array): Uint8Array {
  let unpacked: Uint8Array
  try {
    unpacked = unpack()
  } catch (error) {
    if (SluiceError.is(error)) throw error
    if ((error as { code?: unknown }).code === outputTooLarge) throw tooLarge(codec, maxBytes)
    throw new SluiceError('CORRUPT_MESSAGE', `The batch's ${codec} data cannot be unpacked.`, {
      cause: error,
    })
  }
  if (unpacked.length > maxBytes) throw tooLarge(codec, maxBytes)
  return plainBytes(unpacked)
}

const noneDoor: CodecDoor = { pack: () => bytes => bytes, unpack: () => bytes => bytes, hint: '' }

function gzipDoor({ zlib }: Packages): CodecDoor {
  return {
    pack: () => zlib && (bytes => zlib.gzipSync(bytes)),
    unpack: () =>
      zlib && ((bytes, maxBytes) => zlib.gunzipSync(bytes, { maxOutputLength: maxBytes })),
    hint: 'gzip needs node:zlib, which this runtime lacks.',
  }
}

function snappyDoor(packages: Packages): CodecDoor {
  return {
    pack: () => {
      const snappy = packages.snappy()
      return snappy && (bytes => writeSnappyFrame(bytes, block => snappy.compressSync(block)))
    },
    unpack: () => {
      const snappy = packages.snappy()
      return (
        snappy &&
        ((bytes, maxBytes) => {
          const blocks = readSnappyBlocks(bytes)
          const size = blocks.reduce((sum, block) => sum + snappyBlockSize(block), 0)
          if (size > maxBytes) throw tooLarge('snappy', maxBytes)
          const [only] = blocks
          if (blocks.length === 1 && only !== undefined) return snappy.uncompressSync(only)
          return join(blocks.map(block => snappy.uncompressSync(block)))
        })
      )
    },
    hint: 'Install the package snappy: npm install snappy',
  }
}

function lz4Door(packages: Packages): CodecDoor {
  return {
    pack: () => {
      const lz4 = packages.lz4()
      return lz4 && (bytes => lz4.compressFrameSync(bytes))
    },
    unpack: () => {
      const lz4 = packages.lz4()
      return (
        lz4 &&
        ((bytes, maxBytes) => {
          const size = lz4UncompressedSize(bytes)
          if (size > maxBytes) throw tooLarge('lz4', maxBytes)
          const unpacked = lz4.decompressFrameSync(bytes)
          // The package stops in silence where a frame ends early or another one follows.
          if (unpacked.length === size) return unpacked
          throw new SluiceError('CORRUPT_MESSAGE', `${size} bytes of lz4 data did not unpack.`)
        })
      )
    },
    hint: 'Install the package lz4-napi: npm install lz4-napi',
  }
}

function zstdDoor({ zlib }: Packages): CodecDoor {
  return {
    pack: () => zlib?.zstdCompressSync ?? null,
    unpack: () => {
      const native = zlib?.zstdDecompressSync
      return native ? (bytes, maxBytes) => native(bytes, { maxOutputLength: maxBytes }) : unpackZstd
    },
    hint: 'Use Node 22.15 or newer: before that zstd can only be read.',
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let position = 0
  for (const part of parts) {
    whole.set(part, position)
    position += part.length
  }
  return whole
}

function unsupported(codec: CompressionCodec, verb: string, hint: string): SluiceError {
  const message = `${codec} cannot be ${verb} in this process.`
  return new SluiceError('UNSUPPORTED_COMPRESSION_TYPE', message, { hint })
}

function tooLarge(codec: CompressionCodec, maxBytes: number): SluiceError {
  return new SluiceError(
    'CORRUPT_MESSAGE',
    `The batch's ${codec} data would grow beyond ${maxBytes} bytes.`,
  )
}
