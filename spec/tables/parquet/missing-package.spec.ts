/** Reads a Parquet table on a machine without DuckDB. */
import { expect, jest, test } from '@jest/globals';
import { fileInput } from '../../../lib/tables/files/table-input.ts';

jest.unstable_mockModule('@duckdb/node-api', () => {
  throw Object.assign(new Error("Cannot find package '@duckdb/node-api'"), { code: 'ERR_MODULE_NOT_FOUND' });
});

test('a Parquet table without DuckDB is an error that says what to install', async () => {
  const { openTable } = await import('../../../lib/tables/open-table.ts');
  const table = openTable(
    fileInput('spec/fixtures/tables/parquet/types.parquet'),
    () => ({ outputs: [], replace: false }),
    { format: 'parquet' },
  );
  await expect(table.batches()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    name: 'TableError',
    code: 'PACKAGE_MISSING',
    message: expect.stringMatching(/needs the package @duckdb\/node-api.*: npm install @duckdb\/node-api$/),
  });
  await table.close?.();
});
