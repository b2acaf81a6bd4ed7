/** Damaged Arrow data: every cut and changed byte gives an error of ours or a table, soon and in little memory. */
import { describe, expect, test } from '@jest/globals';
import { TableError } from '../../../lib/base/errors.ts';
import { rounds } from '../../support/rounds.ts';
import { arrowFixture, openArrowBytes, readArrow, writeArrow } from './arrow-files.ts';

const FILES = ['pyarrow-lz4.arrow', 'pyarrow.arrows', 'pyarrow-version4.arrow', 'polars-zstd.arrow'];

/** Reads the columns that can be read, and writes the table again. @returns The error code, or the rows. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  try {
    const { partRows } = await readArrow(bytes);
    await writeArrow(
      bytes,
      () => [{ name: 'answer', type: 'uint8' }],
      (_, rows) => [{ values: new Uint8Array(Math.min(rows, 1000)) }],
    );
    return `${partRows.length} parts`;
  } catch (error) {
    if (error instanceof TableError) return error.code;
    throw error;
  }
}

/** Returns numbers from 0 to 1, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('damaged Arrow data', () => {
  test.each(FILES)('gives BAD_FORMAT where it is cut: %s', async (name) => {
    const whole = arrowFixture(name),
      { isFile } = await openArrowBytes(whole),
      random = seeded(5);
    for (let k = 0; k < rounds(8); k++) {
      const outcome = await outcomeOf(whole.subarray(0, Math.floor(random() * whole.length)));
      // A stream may end after any message.
      if (isFile || outcome !== '0 parts')
        expect(['BAD_FORMAT', ...(isFile ? [] : ['1 parts', '2 parts'])]).toContain(outcome);
    }
  });

  test.each(FILES)('gives BAD_FORMAT or a table where bytes are changed: %s', async (name) => {
    const whole = arrowFixture(name),
      random = seeded(7);
    let refused = 0;
    for (let k = 0; k < rounds(15); k++) {
      const bytes = Buffer.from(whole);
      for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
        const at = Math.floor(random() * bytes.length);
        bytes[at] = [0, 255, 127, bytes[at] ^ (1 << Math.floor(random() * 8))][Math.floor(random() * 4)];
      }
      const outcome = await outcomeOf(bytes);
      expect(outcome).toMatch(/^(BAD_FORMAT|\d parts)$/);
      if (outcome === 'BAD_FORMAT') refused++;
    }
    expect(refused).toBeGreaterThan(0);
  });

  test('does not allocate what a stream only claims', async () => {
    const stream = arrowFixture('pyarrow.arrows');
    const ends = [0x7fffffff, 0x0fffffff, 8];
    for (const claim of ends) {
      const bytes = Buffer.from(stream.subarray(0, 64));
      bytes.writeUInt32LE(claim, 4);
      await expect(readArrow(bytes)).rejects.toMatchObject({ code: 'BAD_FORMAT' });
    }
  });
});
