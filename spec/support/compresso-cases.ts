/**
 * Streams written by the compresso package, with its own full decodes of them; see
 * `spec/fixtures/codecs/compresso/make.py`.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

export interface CompressoCase {
  name: string;
  version: number;
  connectivity: number;
  layout: ChunkLayout;
  /** A view, which must not be written to. */
  stream: Uint8Array;
  /** The labels of all voxels as unsigned words of their width (two words per uint64 label), x fastest. */
  expected: Uint8Array | Uint16Array | Uint32Array;
}

interface CaseLine {
  name: string;
  shape: [number, number, number];
  dataType: 'uint8' | 'uint16' | 'uint32' | 'uint64';
  version: number;
  connectivity: number;
  stream: [at: number, length: number];
  expected: [at: number, length: number];
}

const FOLDER = new URL('../fixtures/codecs/compresso/', import.meta.url);
const WORDS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: Uint32Array };

export function compressoCases(): CompressoCase[] {
  const lines = JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as CaseLine[];
  const pack = gunzipSync(readFileSync(new URL('cases.bin.gz', FOLDER)));
  const bytesAt = ([at, length]: [number, number]): Uint8Array => pack.subarray(at, at + length);
  return lines.map(({ name, shape, dataType, version, connectivity, stream, expected }) => ({
    name,
    version,
    connectivity,
    layout: { chunkSize: shape, channels: 1, dataType },
    stream: bytesAt(stream),
    expected: new WORDS[dataType](Uint8Array.from(bytesAt(expected)).buffer),
  }));
}
