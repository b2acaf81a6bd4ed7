import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

interface Stored {
  name: string;
  stored: string;
  gzippedContent: string;
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/compression/zstd.json', import.meta.url), 'utf8'),
) as Stored[];

/**
 * Frames written by the reference implementation, with their content; see
 * spec/fixtures/compression/README.md.
 */
export const ZSTD_CASES = cases.map(({ name, stored, gzippedContent }) => ({
  name,
  stored: new Uint8Array(Buffer.from(stored, 'base64')),
  content: new Uint8Array(gunzipSync(Buffer.from(gzippedContent, 'base64'))),
}));

/** Makes a frame of raw blocks, which needs no encoder. RFC 8878, 3.1.1. */
export function zstdRaw(bytes: Uint8Array): Uint8Array {
  const parts = [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38)];
  const block = 100_000,
    count = Math.max(1, Math.ceil(bytes.length / block));
  for (let k = 0; k < count; k++) {
    const part = bytes.subarray(k * block, (k + 1) * block),
      header = (part.length << 3) | Number(k === count - 1);
    parts.push(Buffer.of(header & 255, (header >> 8) & 255, header >> 16), Buffer.from(part));
  }
  return Buffer.concat(parts);
}
