/**
 * Mutated zfpc chunks. The format has no checksum, so a changed byte may give other values. But each answer
 * must be a typed error or values, and the same for a single voxel and for the whole chunk as for all voxels.
 * The bytes are at an odd offset between other bytes, so a read outside shows.
 */
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { zfpcCodec } from '../../lib/codecs/zfpc.ts';
import { allOffsets, atOddOffset, pointValues, valuesOrCode, voxelsOf } from '../support/point-decode.ts';
import { zfpcCases } from '../support/zfpc-cases.ts';
import { seeded, type Random } from '../../testing/random.ts';
import { rounds } from '../support/rounds.ts';

const CASES = zfpcCases().filter(({ layout }) => voxelsOf(layout) <= 60);
const ABSURD = [0, 1, 2, 4, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
const CODES = ['TRUNCATED', 'BAD_HEADER', 'UNSUPPORTED'];

/** Returns mutated bytes in fresh memory: bits flipped, a word overwritten, bytes of `other`, bytes left out. */
function mutate(random: Random, chunk: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(chunk),
    streams = new DataView(bytes.buffer).getUint32(23, true);
  // Where the first stream starts, its header and first block are as often hit as all the rest.
  const place = (): number =>
    random.pick([random.below(62), streams + random.below(24), random.below(bytes.length)]);
  switch (random.below(5)) {
    case 0:
    case 1:
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        bytes[Math.min(place(), bytes.length - 1)] ^= 1 << random.below(8);
      return bytes;
    case 2:
      new DataView(bytes.buffer).setUint32(
        Math.min(place(), bytes.length - 4),
        random.pick([...ABSURD, bytes.length, random.below(2 ** 32)]),
        true,
      );
      return bytes;
    case 3: {
      const to = Math.min(62 + random.below(Math.max(1, bytes.length - 62)), bytes.length),
        from = random.below(other.length);
      bytes.set(
        other.subarray(from, from + 1 + random.below(40)).subarray(0, Math.max(0, bytes.length - to)),
        to,
      );
      return bytes;
    }
    default: {
      const from = random.below(bytes.length),
        count = 1 + random.below(8);
      bytes.copyWithin(from, from + count);
      return bytes.subarray(0, Math.max(bytes.length - count, 0));
    }
  }
}

function rawOrCode(chunk: Uint8Array, layout: ChunkLayout): Uint8Array | string {
  try {
    return runWithoutPause(zfpcCodec.toRaw!(chunk, layout));
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}

describe('zfpc: hostile bytes', () => {
  test.each([1, 2, 3, 4])('give values or a typed error (seed %i)', (seed) => {
    const random = seeded(seed),
      seen = { values: 0, TRUNCATED: 0, BAD_HEADER: 0 } as Record<string, number>;
    for (let mutation = 0; mutation < rounds(600); mutation++) {
      const { name, layout, chunk } = random.pick(CASES),
        hostile = atOddOffset(mutate(random, chunk, random.pick(CASES).chunk)),
        voxel = Uint32Array.of(random.below(voxelsOf(layout)));
      const raw = rawOrCode(hostile, layout),
        alone = valuesOrCode(zfpcCodec, hostile, layout, voxel);
      const kind = typeof raw === 'string' ? raw : 'values';
      seen[kind] = (seen[kind] ?? 0) + 1;
      // A single voxel needs less of the chunk, so it may be right if the rest is damaged. Asserted only if
      // wrong: this many calls of `expect` would take most of the time.
      const where = { seed, mutation, name, voxel: voxel[0] };
      if (typeof raw !== 'string') {
        const expected = pointValues(rawCodec, raw, layout, voxel);
        if (String(alone) !== String(expected))
          expect({ ...where, alone }).toEqual({ ...where, alone: expected });
      } else if (typeof alone === 'string' && !CODES.includes(alone))
        expect({ ...where, alone }).toEqual({ ...where, alone: raw });
      if (mutation % 10 === 0) {
        const all = valuesOrCode(zfpcCodec, hostile, layout, allOffsets(layout));
        expect(String(all)).toBe(
          typeof raw === 'string' ? raw : String(pointValues(rawCodec, raw, layout, allOffsets(layout))),
        );
      }
    }
    expect(Object.keys(seen).every((code) => ['values', ...CODES].includes(code))).toBe(true);
    expect(Math.min(seen.values, seen.TRUNCATED, seen.BAD_HEADER)).toBeGreaterThan(rounds(40));
  });

  test('give TRUNCATED or the right values if they are cut anywhere', () => {
    const answers = new Set<string>();
    let cuts = 0;
    for (const { name, chunk, layout } of CASES.filter((_, i) => i % 3 === 0)) {
      const offsets = allOffsets(layout),
        right = String(pointValues(zfpcCodec, chunk, layout, offsets));
      for (let length = chunk.length - 1; length >= 0; length -= Math.ceil(chunk.length / 40), cuts++) {
        const got = String(valuesOrCode(zfpcCodec, atOddOffset(chunk.subarray(0, length)), layout, offsets));
        answers.add(got === right ? 'right' : got);
        if (got !== right && got !== 'TRUNCATED')
          expect({ name, length, got }).toEqual({ name, length, got: right });
      }
    }
    expect(cuts).toBeGreaterThan(1000);
    expect(answers).toContain('TRUNCATED');
  });

  test('give TRUNCATED for an index of more streams than there can be, without memory for them', () => {
    const { chunk } = CASES[0],
      view = new DataView(Uint8Array.from(chunk).buffer);
    for (const [axis, size] of [5000, 5000, 170, 1].entries()) view.setUint32(6 + 4 * axis, size, true);
    view.setUint8(22, 8);
    const layout = { chunkSize: [5000, 5000, 170], channels: 1, dataType: 'float32' } as const;
    expect(valuesOrCode(zfpcCodec, new Uint8Array(view.buffer), layout, Uint32Array.of(0))).toBe('TRUNCATED');
  });

  test('give an error code if they are not of this format at all', () => {
    const { layout } = CASES[0],
      one = Uint32Array.of(0);
    const page = new TextEncoder().encode(`<!DOCTYPE html>${' '.repeat(100_000)}`);
    expect(valuesOrCode(zfpcCodec, page, layout, one)).toBe('BAD_HEADER');
    expect(valuesOrCode(zfpcCodec, new Uint8Array(), layout, one)).toBe('TRUNCATED');
  });
});
