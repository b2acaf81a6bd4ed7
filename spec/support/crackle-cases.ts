/**
 * The crackle chunks in `spec/fixtures/codecs/crackle`, with the labels that the reference reads in them.
 * `make.py` there wrote both.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { crackleCodec } from '../../lib/codecs/crackle.ts';
import { bytesPerValue, DATA_TYPES, wordsView } from '../../lib/precomputed/data-type.ts';
import type { DataType, ValueArray } from '../../lib/precomputed/data-type.ts';

const FOLDER = new URL('../fixtures/codecs/crackle/', import.meta.url);

export interface CrackleCase {
  name: string;
  shape: [number, number, number];
  dataType: DataType;
  header: {
    version: 0 | 1;
    labels: 'flat' | 'pins';
    permissible: boolean;
    storedWidth: number;
    fortranOrder: boolean;
    markovOrder: number;
    sorted: boolean;
  };
  /** The first 16 hex digits of the SHA-256 of each decoded slice (little-endian, x fastest). */
  slices: string[];
  /** Offsets, x fastest, and labels. */
  samples: [number, string][];
}

export const CRACKLE_CASES = (
  JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as { cases: CrackleCase[] }
).cases;

export function crackleCase(name: string): CrackleCase {
  const found = CRACKLE_CASES.find((one) => one.name === name);
  if (!found) throw new Error(`no crackle case ${name}`);
  return found;
}

export const crackleBytes = ({ name }: CrackleCase): Uint8Array =>
  new Uint8Array(gunzipSync(readFileSync(new URL(`${name}.ckl.gz`, FOLDER))));

export const crackleLayout = ({ shape, dataType }: Pick<CrackleCase, 'shape' | 'dataType'>): ChunkLayout => ({
  chunkSize: shape,
  channels: 1,
  dataType,
});

export const allOffsets = ([sx, sy, sz]: readonly [number, number, number]): Uint32Array =>
  Uint32Array.from({ length: sx * sy * sz }, (_, offset) => offset);

/** Reads the labels at `offsets`, in their order. */
export function readCrackle(bytes: Uint8Array, layout: ChunkLayout, offsets: Uint32Array): ValueArray {
  const values = new DATA_TYPES[layout.dataType](offsets.length);
  crackleCodec.decodePoints(bytes, layout, offsets, wordsView(values), Uint32Array.from(offsets.keys()));
  return values;
}

/** Computes hashes like those of {@link CrackleCase.slices}. */
export function hashSlices(values: ValueArray, { shape: [sx, sy, sz], dataType }: CrackleCase): string[] {
  const bytes = new Uint8Array(values.buffer);
  const size = sx * sy * bytesPerValue(dataType);
  return Array.from({ length: sz }, (_, z) =>
    createHash('sha256')
      .update(bytes.subarray(z * size, (z + 1) * size))
      .digest('hex')
      .slice(0, 16),
  );
}
