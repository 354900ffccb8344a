/**
 * Hash: a short name of bytes or text, long enough that no two of a few million are the same.
 *
 * Always true: 84 bits of SHA-1, as 14 characters.
 * Called by losses.ts and sweep.ts to know images again.
 */
import { hash as digest } from 'node:crypto'

export const hash = (content: Uint8Array | string): string =>
  digest('sha1', content, 'base64').slice(0, 14)
