import { describe, expect, test } from '@jest/globals';
import { TableError } from '../../../lib/base/errors.ts';
import { arrowFixture, readArrow } from './arrow-files.ts';

describe('the bound of what is decompressed', () => {
  test.each(['polars-zstd.arrow', 'pyarrow-lz4.arrow'])(
    'refuses %s before more is decompressed',
    async (file) => {
      const bytes = arrowFixture(file),
        whole = await readArrow(bytes);
      expect(await readArrow(bytes, undefined, 2 ** 20)).toEqual(whole);
      const error = await readArrow(bytes, undefined, 64).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TableError);
      expect((error as TableError).message).toContain('more than 64 bytes when they are decompressed');
    },
  );

  test('holds for compressed bytes only', async () => {
    const bytes = arrowFixture('pyarrow.arrows');
    expect(await readArrow(bytes, undefined, 1)).toEqual(await readArrow(bytes));
  });
});
