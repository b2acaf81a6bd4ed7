/**
 * Mutated inputs of every decoder: encodings of chunks, and compressions of stored bodies. Each gives values, as many
 * as there are voxels, or a DecodeError; the right values where the format has checksums. The bytes are at an odd
 * offset between other bytes, so a read outside shows.
 */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { codecFor, READABLE_ENCODINGS } from '../../lib/codecs/registry.ts';
import { decompress } from '../../lib/compression/decompress.ts';
import { bytesPerValue } from '../../lib/precomputed/data-type.ts';
import { seeded, type Random } from '../../testing/random.ts';
import { ZSTD_CASES, zstdRaw } from '../compression/zstd-cases.ts';
import { compressoCases } from '../support/compresso-cases.ts';
import { CRACKLE_CASES, crackleBytes, crackleLayout } from '../support/crackle-cases.ts';
import { encodeCseg } from '../support/encode-cseg.ts';
import { fpzipCases } from '../support/fpzip-cases.ts';
import '../support/load-codecs.ts';
import { imageCases } from '../support/image-cases.ts';
import { allOffsets, atOddOffset, pointValues, voxelsOf } from '../support/point-decode.ts';
import { rounds } from '../support/rounds.ts';
import { zfpcCases } from '../support/zfpc-cases.ts';

interface Chunk {
  layout: ChunkLayout;
  stream: Uint8Array;
}

const small = <T extends Chunk>(chunks: readonly T[]): T[] =>
  chunks.filter(({ layout }) => voxelsOf(layout) * layout.channels <= 800);

const random = seeded(1707);
const CSEG: ChunkLayout = { chunkSize: [9, 6, 5], blockSize: [4, 4, 4], channels: 2, dataType: 'uint64' };
const RAW: ChunkLayout = { chunkSize: [5, 4, 3], channels: 2, dataType: 'uint16' };
const SEEDS: Record<string, () => readonly Chunk[]> = {
  raw: () => [{ layout: RAW, stream: Uint8Array.from({ length: 240 }, (_, k) => k) }],
  compressed_segmentation: () => [
    {
      layout: CSEG,
      stream: encodeCseg(
        Array.from({ length: 540 }, () => BigInt(random.below(2 ** 32)) % 40n),
        CSEG,
      ),
    },
  ],
  compresso: () => small(compressoCases()),
  crackle: () =>
    small(CRACKLE_CASES.map((one) => ({ layout: crackleLayout(one), stream: crackleBytes(one) }))),
  fpzip: () => small(fpzipCases().filter(({ encoding }) => encoding === 'fpzip')),
  kempressed: () => small(fpzipCases().filter(({ encoding }) => encoding === 'kempressed')),
  zfpc: () => small(zfpcCases().map(({ layout, chunk }) => ({ layout, stream: chunk }))),
  png: () => small(imageCases('png')),
  jpeg: () => small(imageCases('jpeg')),
  jxl: () => small(imageCases('jxl')),
};
/** Inputs in `npm run fuzz`: 100,000 in all with the compressions. `npm test` tries a fiftieth. */
const COUNTS: Record<string, number> = {
  raw: 5000,
  compressed_segmentation: 12_000,
  compresso: 12_000,
  crackle: 12_000,
  fpzip: 12_000,
  kempressed: 6000,
  zfpc: 12_000,
  png: 15_000,
  jpeg: 3000,
  jxl: 1000,
};
const BODY_COUNT = 2500;
const isLong = rounds(1) > 1;
const shortened = (count: number): number => (isLong ? count : Math.ceil(count / 50));

const ABSURD = [0, 1, 0x7f, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Cuts bytes, flips bits, overwrites a number (often in the header), copies or removes a run. */
function mutate(from: Random, bytes: Uint8Array): Uint8Array {
  let copy = bytes.slice();
  for (let edits = 1 + from.below(3); edits > 0 && copy.length > 4; edits--) {
    const at = from.below(from.pick([Math.min(40, copy.length), copy.length])),
      view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
    switch (from.below(6)) {
      case 0:
        copy = copy.slice(0, at);
        break;
      case 1:
        view.setUint32(Math.min(at, copy.length - 4), from.pick(ABSURD), from.below(2) === 0);
        break;
      case 2:
        copy.copyWithin(at, from.below(copy.length), from.below(copy.length));
        break;
      case 3:
        copy.copyWithin(at, at + 1 + from.below(9));
        break;
      case 4:
        copy[at] = from.below(256);
        break;
      default:
        copy[at] ^= 1 << from.below(8);
    }
  }
  return copy;
}

/** Whether an answer of a changed chunk must be the right one. */
const HAS_CHECKSUMS = ['png'];

describe('mutated chunks', () => {
  test('there are seeds for every encoding', () => {
    expect(Object.keys(SEEDS).sort()).toEqual([...READABLE_ENCODINGS].sort());
  });

  test.each(READABLE_ENCODINGS.map((encoding) => ({ encoding, count: shortened(COUNTS[encoding]) })))(
    'give values or a DecodeError: $count of $encoding',
    ({ encoding, count }) => {
      const chunks = SEEDS[encoding](),
        codec = codecFor(encoding)!,
        from = seeded(encoding.length * 7919);
      let read = 0,
        refused = 0;
      for (let turn = 0; turn < count; turn++) {
        const { layout, stream } = from.pick(chunks),
          bytes = atOddOffset(mutate(from, stream)),
          before = bytes.slice(),
          voxel = Uint32Array.of(from.below(voxelsOf(layout)));
        const where = (): string => `input ${turn} of ${encoding}`;
        try {
          const values = codec.toRaw
            ? runWithoutPause(codec.toRaw(bytes, layout))
            : pointValues(codec, bytes, layout, allOffsets(layout));
          const { channels, dataType } = layout,
            length = voxelsOf(layout) * (codec.toRaw ? channels * bytesPerValue(dataType) : 1);
          if (values.length !== length) throw new Error(`${where()}: ${values.length} values`);
          const [alone] = pointValues(codec, bytes, layout, voxel);
          if (!codec.toRaw && String(alone) !== String(values[voxel[0]]))
            throw new Error(`${where()}: another value for a single voxel`);
          if (HAS_CHECKSUMS.includes(encoding)) {
            const [right] = pointValues(codec, stream, layout, voxel);
            if (String(alone) !== String(right)) throw new Error(`${where()}: a wrong value`);
          }
          read++;
        } catch (error) {
          if (!(error instanceof DecodeError)) throw new Error(where(), { cause: error });
          refused++;
        }
        if (Buffer.compare(before, bytes) !== 0) throw new Error(`${where()}: the input was written to`);
      }
      expect(read + refused).toBe(count);
      expect(refused).toBeGreaterThan(count / 10);
    },
    120_000,
  );
});

describe('mutated bodies', () => {
  const content = Uint8Array.from({ length: 700 }, () => random.below(5));
  const bodies: Record<string, readonly Uint8Array[]> = {
    gzip: [gzipSync(content)],
    deflate: [deflateSync(content)],
    br: [brotliCompressSync(content)],
    zstd: [zstdRaw(content), ...ZSTD_CASES.map(({ stored }) => stored)],
    xz: Object.values(
      JSON.parse(readFileSync('spec/fixtures/compression/xz.json', 'utf8')) as Record<string, string>,
    ).map((text) => new Uint8Array(Buffer.from(text, 'base64'))),
  };
  const sealed = ['gzip', 'deflate'];

  test.each(Object.keys(bodies).map((encoding) => ({ encoding, count: shortened(BODY_COUNT) })))(
    'give their content or a DecodeError: $count of $encoding',
    async ({ encoding, count }) => {
      const from = seeded(encoding.length * 104_729);
      let refused = 0;
      for (let turn = 0; turn < count; turn++) {
        const bytes = atOddOffset(mutate(from, from.pick(bodies[encoding])));
        try {
          const found = await decompress(bytes, encoding, { maxBytes: 10_000 });
          if (found.length > 10_000) throw new Error(`input ${turn} of ${encoding}: ${found.length} bytes`);
          if (sealed.includes(encoding) && Buffer.compare(found, content) !== 0)
            throw new Error(`input ${turn} of ${encoding}: other content`);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(count / 10);
    },
    120_000,
  );
});
