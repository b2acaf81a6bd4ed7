/** Chunks that fpzip wrote, with its own decodes of them; see `spec/fixtures/codecs/fpzip/make.py`. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

/** One chunk. */
export interface FpzipCase {
  name: string;
  encoding: 'fpzip' | 'kempressed';
  layout: ChunkLayout;
  /** A view, which must not be written to. */
  stream: Uint8Array;
  /** The same chunk in the `raw` encoding. */
  raw: Uint8Array;
}

interface CaseLine {
  name: string;
  encoding: FpzipCase['encoding'];
  dataType: 'float32' | 'float64';
  chunkSize: [number, number, number];
  channels: number;
  stream: [from: number, to: number];
  raw: [from: number, to: number];
}

const FOLDER = new URL('../fixtures/codecs/fpzip/', import.meta.url);

export function fpzipCases(): FpzipCase[] {
  const lines = JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as CaseLine[];
  const pack = new Uint8Array(gunzipSync(readFileSync(new URL('cases.bin.gz', FOLDER))));
  return lines.map(({ name, encoding, dataType, chunkSize, channels, stream, raw }) => ({
    name,
    encoding,
    layout: { chunkSize, channels, dataType },
    stream: pack.subarray(...stream),
    raw: pack.subarray(...raw),
  }));
}
