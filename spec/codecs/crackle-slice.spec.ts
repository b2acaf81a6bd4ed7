import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { componentAt, findComponents } from '../../lib/codecs/crackle/slice-components.ts';
import type { SliceComponents } from '../../lib/codecs/crackle/slice-components.ts';
import type { Cracks } from '../../lib/codecs/crackle/crack-code.ts';
import { crc32c } from '../../lib/base/crc32c.ts';
import { sliceChecksum } from '../../lib/codecs/crackle/slice-checksum.ts';
import { rounds } from '../support/rounds.ts';

/** Makes a slice of few labels in blocks, so that components turn back, nest and touch at corners. */
const images = fc
  .record({
    sx: fc.integer({ min: 1, max: 70 }),
    sy: fc.integer({ min: 1, max: 24 }),
    labels: fc.integer({ min: 1, max: 4 }),
    block: fc.constantFrom(1, 2, 5),
  })
  .chain(({ sx, sy, labels, block }) =>
    fc
      .array(fc.nat(labels - 1), { minLength: sx * sy, maxLength: sx * sy })
      .map((random) => ({
        sx,
        sy,
        image: random.map(
          (_, k) => random[Math.floor((k % sx) / block) + sx * Math.floor(Math.floor(k / sx) / block)],
        ),
      })),
  );

type Image = { sx: number; sy: number; image: number[] };

/** Draws every edge between different labels, or (permissible) between equal ones. */
function cracksOf({ sx, sy, image }: Image, permissible: boolean): Cracks {
  const stride = (sx >>> 5) + 1;
  const horizontal = stride * (sy + 1);
  const words = new Int32Array(2 * horizontal);
  for (let y = 0; y < sy; y++)
    for (let x = 0; x < sx; x++) {
      const here = image[x + sx * y];
      const word = stride * y + (x >>> 5);
      if (x > 0 && (here === image[x - 1 + sx * y]) === permissible) words[word] |= 1 << (x & 31);
      if (y > 0 && (here === image[x + sx * (y - 1)]) === permissible)
        words[horizontal + word] |= 1 << (x & 31);
    }
  return { words, stride, horizontal };
}

/** Numbers components by flood filling from each voxel that has no number yet. */
function floodFill({ sx, sy, image }: Image): number[] {
  const components = new Array<number>(sx * sy).fill(-1);
  let count = 0;
  for (let start = 0; start < sx * sy; start++) {
    if (components[start] >= 0) continue;
    const open = [start];
    components[start] = count;
    while (open.length > 0) {
      const at = open.pop()!;
      const x = at % sx;
      for (const next of [x > 0 ? at - 1 : -1, x < sx - 1 ? at + 1 : -1, at - sx, at + sx])
        if (next >= 0 && next < sx * sy && components[next] < 0 && image[next] === image[at]) {
          components[next] = count;
          open.push(next);
        }
    }
    count++;
  }
  return components;
}

const paint = (slice: SliceComponents, voxels: number): number[] =>
  Array.from({ length: voxels }, (_, k) => componentAt(slice, k));

describe('crackle: findComponents', () => {
  test('numbers components by their first voxels, for both kinds of drawn edges', () => {
    fc.assert(
      fc.property(images, fc.boolean(), (one, permissible) => {
        const slice = findComponents(cracksOf(one, permissible), one.sx, one.sy, permissible);
        const expected = floodFill(one);
        expect(paint(slice, expected.length)).toEqual(expected);
        expect(slice.componentCount).toBe(Math.max(...expected) + 1);
      }),
      { seed: 4, numRuns: rounds(200) },
    );
  });
});

describe('crackle: checksums', () => {
  const viewOf = (bytes: Uint8Array): DataView =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  // RFC 3720, B.4, and the check value of the CRC catalogue.
  test.each([
    ['the nine digits', new TextEncoder().encode('123456789'), 0xe3069283],
    ['32 zero bytes', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['no bytes', new Uint8Array(0), 0],
  ])('include the CRC-32C of %s', (_, bytes, crc) =>
    expect(crc32c(viewOf(bytes), 0, bytes.length)).toBe(crc),
  );

  test('of a slice equal the CRC-32C of its components written out', () => {
    fc.assert(
      fc.property(images, (one) => {
        const slice = findComponents(cracksOf(one, false), one.sx, one.sy, false);
        const written = new Uint8Array(Uint32Array.from(paint(slice, one.sx * one.sy)).buffer);
        expect(sliceChecksum(slice)).toBe(crc32c(viewOf(written), 0, written.length));
      }),
      { seed: 5, numRuns: rounds(200) },
    );
  });
});
