import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import type { ChunkLayout } from '../../lib/codecs/codec.ts';
import { crc8 } from '../../lib/codecs/crackle/crc.ts';
import {
  allOffsets,
  crackleBytes,
  crackleCase,
  crackleLayout,
  readCrackle,
} from '../support/crackle-cases.ts';

const codeOf = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
  return 'none';
};

describe('crackle: damaged chunks of version 1', () => {
  const one = crackleCase('blobs_33_6_2');
  const bytes = crackleBytes(one);
  const layout = crackleLayout(one);
  const all = allOffsets(one.shape);
  const right = readCrackle(bytes, layout, all);
  const edited = (edit: (copy: Uint8Array) => void): Uint8Array => {
    const copy = bytes.slice();
    edit(copy);
    return copy;
  };
  /** Edits the header and gives it a correct CRC-8, so that the field itself is checked. */
  const header = (edit: (copy: Uint8Array) => void): Uint8Array =>
    edited((copy) => {
      edit(copy);
      copy[28] = crc8(new DataView(copy.buffer), 5, 28);
    });

  test.each([
    ['magic number', edited((b) => (b[1] = 0x52)), 'BAD_HEADER'],
    ['version (2)', edited((b) => (b[4] = 2)), 'UNSUPPORTED'],
    ['CRC-8 of the header', edited((b) => (b[28] ^= 1)), 'BAD_CHECKSUM'],
    ['field under the CRC-8', edited((b) => (b[7] ^= 1)), 'BAD_CHECKSUM'],
    ['label format (1)', header((b) => (b[5] |= 1 << 5)), 'UNSUPPORTED'],
    ['label format (3)', header((b) => (b[5] |= 3 << 5)), 'UNSUPPORTED'],
    ['grid (smaller than the slice)', header((b) => (b[19] = 5)), 'UNSUPPORTED'],
    ['x', header((b) => (b[7] = 34)), 'BAD_HEADER'],
    ['y', header((b) => (b[14] = 0xff)), 'BAD_HEADER'],
    ['z', header((b) => (b[15] = 0)), 'BAD_HEADER'],
    ['number of label bytes (one more)', header((b) => b[20]++), 'TRUNCATED'],
    ['number of label bytes (one less)', header((b) => b[20]--), 'WRONG_SIZE'],
    ['number of label bytes (2^63)', header((b) => (b[27] = 0x80)), 'TRUNCATED'],
    ['Markov order (15)', header((b) => (b[6] |= 15 << 1)), 'TRUNCATED'],
    ['slice index', edited((b) => b[29]++), 'BAD_CHECKSUM'],
    ['label', edited((b) => (b[29 + 12 + 9] ^= 1)), 'BAD_CHECKSUM'],
    ['CRC of the labels', edited((b) => (b[b.length - 12] ^= 1)), 'BAD_CHECKSUM'],
    ['CRC of a slice', edited((b) => (b[b.length - 1] ^= 1)), 'BAD_CHECKSUM'],
    ['crack format', header((b) => (b[5] ^= 1 << 4)), 'BAD_CHECKSUM'],
  ])('are refused for a wrong %s', (_, damaged, code) =>
    expect(codeOf(() => readCrackle(damaged, layout, all))).toBe(code),
  );

  test('may name a grid that is larger than the slice', () => {
    expect(
      readCrackle(
        header((b) => (b[19] = 6)),
        layout,
        all,
      ),
    ).toEqual(right);
  });

  test('are refused with the expected and the actual value', () => {
    expect(() => readCrackle(bytes, { ...layout, chunkSize: [33, 2, 6] }, all)).toThrow(
      'crackle: expected 33,2,6 voxels, got 33,6,2',
    );
    expect(() => readCrackle(bytes, { ...layout, dataType: 'uint16' }, all)).toThrow(
      'crackle: labels of 8 bytes in a volume of 2 byte(s) per value',
    );
    expect(codeOf(() => readCrackle(bytes, { ...layout, channels: 2 }, all))).toBe('UNSUPPORTED');
  });

  test('give TRUNCATED if they are cut at any byte, and WRONG_SIZE for an extra byte', () => {
    for (let length = 0; length < bytes.length; length++)
      expect([length, codeOf(() => readCrackle(bytes.subarray(0, length), layout, all))]).toEqual([
        length,
        'TRUNCATED',
      ]);
    expect(codeOf(() => readCrackle(Uint8Array.of(...bytes, 0), layout, all))).toBe('WRONG_SIZE');
  });

  test('give an error or the right labels for any flipped bit', () => {
    let errors = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = edited((b) => (b[bit >>> 3] ^= 1 << (bit & 7)));
      if (codeOf(() => expect(readCrackle(damaged, layout, all)).toEqual(right)) !== 'none') errors++;
    }
    expect(errors).toBeGreaterThan(7.5 * bytes.length); // nearly all bits matter
  });

  test('give errors for the voxels of a damaged slice only, because no other slice is decoded', () => {
    const lastCode = bytes.length - 4 - 2 * 4 - 1;
    const damaged = edited((b) => (b[lastCode] ^= 0xff));
    const [first, second] = [all.subarray(0, 33 * 6), all.subarray(33 * 6)];
    expect(readCrackle(damaged, layout, first)).toEqual(right.subarray(0, 33 * 6));
    expect(codeOf(() => readCrackle(damaged, layout, second))).not.toBe('none');
    expect(codeOf(() => readCrackle(damaged, layout, all))).not.toBe('none');
  });
});

/** A chunk of version 0, written by hand: 2 x 2 x 1 uint8, without checksums. */
describe('crackle: chunks of version 0 that contradict themselves', () => {
  const layout: ChunkLayout = { chunkSize: [2, 2, 1], channels: 1, dataType: 'uint8' };
  const u32 = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
  const code = (index: number[], moves: number[]): number[] => [...u32(index.length), ...index, ...moves];

  const fromTopMiddle = [1, 0, 1, 1]; // one row of vertices, y = 0, one chain, x = 1
  const fromCentre = [1, 1, 1, 1];
  const downDownEnd = [0b10_00_00_10]; // down, down, then down-up: end
  const wall = code(fromTopMiddle, downDownEnd);
  // Two labels, 5 and 9. Two components, with the first and the second label.
  const flat = [2, 0, 0, 0, 0, 0, 0, 0, 5, 9, 2, 0, 1];
  const count2 = [2, 0, 0, 0, 0, 0, 0, 0];
  // Background 7. Label 8 has one pin, from voxel 1 with depth 0, and no single components.
  const pins = [7, 1, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 1, 1, 0, 0];

  const stream = ({
    labels = flat,
    cracks = wall,
    model = [] as number[],
    format = 0x80,
    order = 0,
  }): Uint8Array =>
    Uint8Array.of(
      ...new TextEncoder().encode('crkl'),
      0,
      format,
      order << 1,
      ...u32(2),
      ...u32(2),
      ...u32(1),
      31,
      ...u32(labels.length),
      ...u32(cracks.length),
      ...labels,
      ...model,
      ...cracks,
    );
  const read = (parts: Parameters<typeof stream>[0]): number[] =>
    Array.from(readCrackle(stream(parts), layout, allOffsets([2, 2, 1])), Number);
  const PINS = 0xc0;

  test('are compared with a valid chunk, which is read', () => {
    expect(read({})).toEqual([5, 9, 5, 9]);
    expect(read({ labels: pins, format: PINS })).toEqual([7, 8, 7, 8]);
    // Component 1 has a label as a single component; component 0 is background.
    expect(read({ labels: [7, 1, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 1, 1], format: PINS })).toEqual([
      7, 8, 7, 8,
    ]);
  });

  test.each([
    ['a chain that leaves above', { cracks: code(fromCentre, [0b00_00_00_00]) }, 'BAD_HEADER'],
    ['a chain that leaves on the right', { cracks: code(fromCentre, [0b00_00_00_01]) }, 'BAD_HEADER'],
    ['a chain that leaves below', { cracks: code(fromCentre, [0b00_00_00_10]) }, 'BAD_HEADER'],
    ['a chain that leaves on the left', { cracks: code(fromCentre, [0b00_00_00_11]) }, 'BAD_HEADER'],
    ['a chain without an end', { cracks: code([1, 0, 1, 0], [0b01_01_01_01]) }, 'TRUNCATED'],
    [
      'a chain that only branches',
      { cracks: code(fromCentre, new Array<number>(40).fill(0b10_10_10_10)) },
      'BAD_HEADER',
    ],
    ['more chains than moves', { cracks: code([1, 0, 2, 1, 0], downDownEnd) }, 'TRUNCATED'],
    ['a chain that starts outside in x', { cracks: code([1, 0, 1, 3], downDownEnd) }, 'BAD_HEADER'],
    ['a chain that starts outside in y', { cracks: code([1, 3, 1, 1], downDownEnd) }, 'BAD_HEADER'],
    ['an index that ends early', { cracks: code([255, 0, 1, 1], downDownEnd) }, 'TRUNCATED'],
    ['an index of 4 GB', { cracks: [...u32(0xffffffff), ...fromTopMiddle, ...downDownEnd] }, 'TRUNCATED'],
    ['a crack code of 3 bytes', { cracks: [0, 0, 0] }, 'TRUNCATED'],
    [
      'a model row that is not a ranking',
      { order: 1, model: [255, 255, 255], cracks: code(fromTopMiddle, [0b10, 0]) },
      'BAD_HEADER',
    ],
    ['no walls, but labels for two components', { cracks: code([0], []) }, 'BAD_HEADER'],
    ['labels for no component', { labels: [...count2, 5, 9, 0] }, 'BAD_HEADER'],
    ['labels for five components', { labels: [...count2, 5, 9, 5, 0, 0, 0, 0, 0] }, 'BAD_HEADER'],
    ['a label that is not in the table', { labels: [...count2, 5, 9, 2, 0, 2] }, 'BAD_HEADER'],
    ['no room for the labels', { labels: [2, 0, 0, 0] }, 'TRUNCATED'],
    ['2^56 labels', { labels: [2, 0, 0, 0, 0, 0, 0, 1, 5, 9, 2, 0, 1] }, 'TRUNCATED'],
    ['labels left over', { labels: [...flat, 0] }, 'WRONG_SIZE'],
    ['a pin that starts outside', { format: PINS, labels: pins.with(13, 4) }, 'BAD_HEADER'],
    [
      'a single component that does not exist',
      { format: PINS, labels: [7, 1, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 1, 2] },
      'BAD_HEADER',
    ],
    ['more pins than components', { format: PINS, labels: pins.with(12, 3) }, 'BAD_HEADER'],
    ['pins that end early', { format: PINS, labels: pins.slice(0, -1) }, 'TRUNCATED'],
    ['pins left over', { format: PINS, labels: [...pins, 0] }, 'WRONG_SIZE'],
  ])('are refused: %s', (_, parts, expected) => expect(codeOf(() => read(parts))).toBe(expected));

  test('have no walls if there is no index', () => {
    expect(read({ labels: [1, 0, 0, 0, 0, 0, 0, 0, 6, 1, 0], cracks: [0, 0, 0, 0] })).toEqual([6, 6, 6, 6]);
  });
});
