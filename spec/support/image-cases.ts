/** Chunks of images, with the values that other decoders read in them; see `spec/fixtures/codecs/images/make.py`. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';

/** One chunk. */
export interface ImageCase {
  name: string;
  encoding: 'png' | 'jpeg' | 'jxl';
  layout: ChunkLayout;
  /** A view, which must not be written to. */
  stream: Uint8Array;
  /** The same chunk in the `raw` encoding; empty if it cannot be read. */
  raw: Uint8Array;
  /** The code of the error, if the chunk cannot be read. */
  code?: string;
}

interface CaseLine {
  name: string;
  encoding: ImageCase['encoding'];
  dataType: 'uint8' | 'uint16';
  chunkSize: [number, number, number];
  channels: number;
  stream: [from: number, to: number];
  raw?: [from: number, to: number];
  code?: string;
}

const FOLDER = new URL('../fixtures/codecs/images/', import.meta.url);

export function imageCases(wanted: ImageCase['encoding']): ImageCase[] {
  const lines = JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as CaseLine[];
  const pack = new Uint8Array(gunzipSync(readFileSync(new URL('cases.bin.gz', FOLDER))));
  return lines
    .filter(({ encoding }) => encoding === wanted)
    .map(({ name, encoding, dataType, chunkSize, channels, stream, raw = [0, 0], code }) => ({
      name,
      encoding,
      layout: { chunkSize, channels, dataType },
      stream: pack.subarray(...stream),
      raw: pack.subarray(...raw),
      code,
    }));
}
