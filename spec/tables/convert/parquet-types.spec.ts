/** Types that are not written as Parquet: at some the package ends without an error, others are read as numbers. */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { openArrowFile } from '../../../lib/tables/arrow/arrow-file.ts';
import { ArrowReader } from '../../../lib/tables/arrow/arrow-reader.ts';
import { ParquetOutput } from '../../../lib/tables/convert/parquet-output.ts';
import type { ByteSink } from '../../../lib/tables/files/byte-streams.ts';
import { FileReader } from '../../../lib/tables/files/file-reader.ts';

const nowhere: ByteSink = {
  write: () => Promise.resolve(),
  finish: () => Promise.resolve(),
  abandon: () => Promise.resolve(undefined),
};

async function openFixture(name: string): Promise<ArrowReader> {
  const path = fileURLToPath(new URL(`../../fixtures/tables/arrow/${name}`, import.meta.url));
  const reader = new ArrowReader(async () => openArrowFile(await FileReader.open(path)));
  await reader.open();
  return reader;
}

test('types that Parquet does not have are refused by name', async () => {
  const reader = await openFixture('not-in-parquet.arrow');
  try {
    const { input, pending, schema } = reader;
    expect(schema.fields).toHaveLength(8);
    for (const field of schema.fields) {
      const output = new ParquetOutput({ input, pending, schema: { ...schema, fields: [field] } }, nowhere);
      await expect(output.begin([])).rejects.toMatchObject({
        code: 'BAD_FORMAT',
        message: expect.stringMatching(
          new RegExp(
            `^column ${field.name} holds .*, which Parquet does not have: .* write a \\.arrow file|^column ${field.name} holds .*: write a \\.arrow file`,
          ),
        ),
      });
    }
  } finally {
    await reader.close();
  }
});

test('a null in a column that says that it has none is a typed error', async () => {
  const reader = await openFixture('false-required.arrow');
  try {
    const output = new ParquetOutput(reader, nowhere);
    await output.begin([]);
    const write = async (): Promise<void> => {
      for await (const part of reader.parts([])) await output.write(part, []);
    };
    await expect(write()).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message: expect.stringContaining("Column 'v' is declared as non-nullable"),
    });
  } finally {
    await reader.close();
  }
});
