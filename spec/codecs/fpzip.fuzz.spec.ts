import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { DecodeError } from '../../lib/base/errors.ts';
import { codecFor } from '../../lib/codecs/registry.ts';
import { seeded, type Random } from '../../testing/random.ts';
import { fpzipCases } from '../support/fpzip-cases.ts';
import { rounds } from '../support/rounds.ts';
import '../support/load-codecs.ts';

/** Cuts, flips, overwrites and moves bytes; most changes are behind the header. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let copy = bytes.slice();
  for (let edits = 1 + random.below(3); edits > 0 && copy.length > 0; edits--) {
    const at =
      random.below(4) === 0
        ? random.below(copy.length)
        : Math.min(copy.length - 1, 24 + random.below(copy.length));
    const kind = random.below(5);
    if (kind === 0) copy = copy.slice(0, at);
    else if (kind === 1) copy.fill(random.pick([0, 0x7f, 0x80, 0xff]), at, at + 1 + random.below(12));
    else if (kind === 2) copy.copyWithin(at, random.below(copy.length), random.below(copy.length));
    else if (kind === 3) copy[at] = random.below(256);
    else copy[at] ^= 1 << random.below(8);
  }
  return copy;
}

describe('fpzip: mutated chunks', () => {
  test('give a value for each voxel, or a DecodeError', () => {
    const random = seeded(11),
      cases = fpzipCases().filter(({ raw }) => raw.length < 600);
    const codes = new Map<string, number>();
    let read = 0;
    for (let turn = 0; turn < rounds(2000); turn++) {
      const { encoding, layout, stream, raw } = random.pick(cases),
        bytes = mutate(stream, random);
      try {
        const values = runWithoutPause(codecFor(encoding)!.toRaw!(bytes, layout));
        if (values.length !== raw.length) throw new Error(`${values.length} bytes`);
        if (Buffer.compare(bytes, stream) === 0 && Buffer.compare(values, raw) !== 0)
          throw new Error('other values of the same bytes');
        read++;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      }
    }
    expect(read).toBeGreaterThan(rounds(250));
    expect([...codes.keys()].sort()).toEqual(['BAD_BITSTREAM', 'BAD_HEADER', 'TRUNCATED', 'UNSUPPORTED']);
  });
});
