import { describe, expect, test } from '@jest/globals';
import { DecodeError } from '../../lib/base/errors.ts';
import { crc32c } from '../../lib/base/crc32c.ts';
import { crc8 } from '../../lib/codecs/crackle/crc.ts';
import { crackleBytes, crackleCase, crackleLayout, readCrackle } from '../support/crackle-cases.ts';
import { rounds } from '../support/rounds.ts';

/** mulberry32, a seeded random generator, so that every run has the same inputs. */
function randomFrom(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/**
 * Applies several mutations: cuts, flips, overwrites, copies of one part over another, absurd header fields.
 */
function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let copy = bytes.slice();
  for (let edits = 1 + random(3); edits > 0 && copy.length > 0; edits--) {
    const at = random(copy.length);
    const kind = random(8);
    if (kind === 0) copy = copy.slice(0, at);
    else if (kind === 1)
      copy = Uint8Array.of(
        ...copy.subarray(0, at),
        ...copy.subarray(Math.min(copy.length, at + 1 + random(9))),
      );
    else if (kind === 2) copy.copyWithin(at, random(copy.length), random(copy.length));
    else if (kind === 3) copy[5 + random(24)] = EXTREMES[random(6)];
    else if (kind === 4) copy.fill(EXTREMES[random(6)], at, at + 1 + random(12));
    else if (kind === 5) copy[at] = random(256);
    else copy[at] ^= 1 << random(8);
  }
  return copy;
}

/**
 * Makes the checksums of header, index and labels correct again, so that the code behind the checksums is
 * reached.
 */
function reseal(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 29 || bytes[4] !== 1) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes[28] = crc8(view, 5, 28);
  const sz = view.getUint32(15, true);
  const indexTo = 29 + 4 * sz;
  const labelsTo = indexTo + 4 + view.getUint32(20, true);
  const labelsCrc = bytes.length - 4 * (sz + 1);
  if (indexTo + 4 > bytes.length || labelsTo > bytes.length || labelsCrc < labelsTo) return bytes;
  view.setUint32(indexTo, crc32c(view, 29, indexTo), true);
  view.setUint32(labelsCrc, crc32c(view, indexTo + 4, labelsTo), true);
  return bytes;
}

const NAMES = [
  'blobs_33_1_5',
  'blobs_32_17_3',
  'type_uint16_noise',
  'markov_2_permissible',
  'type_uint8_pins',
  'stored_2_of_8_pins',
  'content_rings_pins',
  'split',
];
const NAMES_V0 = [
  'v0',
  'v0_pins',
  'v0_pins_markov',
  'v0_permissible_markov',
  'v0_fortran_markov',
  'v0_one_label',
];

describe('crackle: mutated chunks', () => {
  /** Counts the chunks that were read and refused. Any error but a DecodeError fails the test. */
  function fuzz(
    name: string,
    count: number,
    { seal = false, check = true } = {},
  ): { read: number; refused: number } {
    const one = crackleCase(name);
    const bytes = crackleBytes(one);
    const layout = crackleLayout(one);
    const voxels = one.shape[0] * one.shape[1] * one.shape[2];
    const random = randomFrom(name.length * 7919 + count + Number(seal));
    const offsets = Uint32Array.from({ length: 60 }, () => random(voxels));
    const right = readCrackle(bytes, layout, offsets).toString();
    const tally = { read: 0, refused: 0 };
    for (let k = 0; k < count; k++) {
      const mutant = mutate(bytes, random);
      try {
        const got = readCrackle(seal ? reseal(mutant) : mutant, layout, offsets).toString();
        if (check && got !== right) throw new Error(`mutant ${k} of ${name} is read wrongly`);
        tally.read++;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        tally.refused++;
      }
    }
    return tally;
  }

  test.each(NAMES)('never give a wrong label if there are checksums: %s', (name) => {
    const { read, refused } = fuzz(name, rounds(400));
    expect(refused).toBeGreaterThan(rounds(300));
    expect(read + refused).toBe(rounds(400));
  });

  test.each(NAMES)('give an answer or a DecodeError if the checksums are made correct again: %s', (name) => {
    const { read, refused } = fuzz(name, rounds(200), { seal: true, check: false });
    expect(read + refused).toBe(rounds(200));
  });

  test.each(NAMES_V0)('give an answer or a DecodeError if there are no checksums: %s', (name) => {
    const { read, refused } = fuzz(name, rounds(300), { check: false });
    expect(refused).toBeGreaterThan(rounds(60));
    expect(read + refused).toBe(rounds(300));
  });
});
