/** Chunks written by the zfpc package; see `spec/fixtures/codecs/zfpc/make.py`. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

export interface ZfpcCase {
  name: string;
  layout: ChunkLayout;
  /** A view, which must not be written to. */
  chunk: Uint8Array;
  /** Of all values in the raw encoding, as zfp's own decoder gives them. */
  sha256: string;
}

interface CaseLine {
  name: string;
  shape: [number, number, number, number];
  dataType: 'float32' | 'float64' | 'int32' | 'int64';
  at: number;
  length: number;
  sha256: string;
}

const FOLDER = new URL('../fixtures/codecs/zfpc/', import.meta.url);

export function zfpcCases(): ZfpcCase[] {
  const lines = JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as CaseLine[];
  const pack = gunzipSync(readFileSync(new URL('cases.bin.gz', FOLDER)));
  return lines.map(({ name, shape: [x, y, z, channels], dataType, at, length, sha256 }) => ({
    name,
    layout: { chunkSize: [x, y, z], channels, dataType },
    chunk: pack.subarray(at, at + length),
    sha256,
  }));
}
