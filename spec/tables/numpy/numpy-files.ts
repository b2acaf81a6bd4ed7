/** Reads and writes NumPy files for specs. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AnswerField,
  type AnswerValues,
  isPresent,
  type TableField,
  type TablePart,
} from '../../../lib/tables/columnar/column.ts';
import { valueText } from '../../../lib/tables/columnar/column-numbers.ts';
import type { ColumnarFormat } from '../../../lib/tables/columnar/columnar-table.ts';
import type { ByteSink } from '../../../lib/tables/files/byte-streams.ts';
import { NpyReader, NpyWriter } from '../../../lib/tables/numpy/npy-table.ts';
import { NpzReader } from '../../../lib/tables/numpy/npz-reader.ts';
import { NpzWriter } from '../../../lib/tables/numpy/npz-writer.ts';
import { bytesFile, sinkTo } from '../memory-files.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/tables/numpy');

export const numpyFixture = (name: string): Buffer => readFileSync(join(FOLDER, name));

/** What NumPy says that a fixture holds. */
export const NUMPY_FIXTURES = JSON.parse(numpyFixture('expected.json').toString()) as Record<
  string,
  Record<string, (string | null)[]>
>;

function formatOf(bytes: Uint8Array): ColumnarFormat {
  if (bytes[0] === 0x50) {
    const npz = new NpzReader(async () => bytesFile(bytes));
    return { reader: npz, writerTo: (out: ByteSink) => new NpzWriter(npz, out) };
  }
  const npy = new NpyReader(async () => bytesFile(bytes), 'root_id');
  return { reader: npy, writerTo: (out: ByteSink) => new NpyWriter(npy, out) };
}

export interface NumpyContent {
  fields: readonly TableField[];
  columns: Record<string, (string | null)[]>;
}

function addTexts(
  part: TablePart,
  names: readonly string[],
  columns: Record<string, (string | null)[]>,
): void {
  part.columns.forEach((column, k) => {
    for (let i = 0; i < part.rows; i++)
      columns[names[k]].push(column.validity && !isPresent(column.validity, i) ? null : valueText(column, i));
  });
}

/** Reads the named columns, or all that can be read. */
export async function readNumpy(bytes: Uint8Array, names?: readonly string[]): Promise<NumpyContent> {
  const { reader } = formatOf(bytes);
  const fields = await reader.open(),
    wanted = [...fields.keys()].filter(
      (k) => fields[k].type.kind !== 'other' && (names?.includes(fields[k].name) ?? true),
    ),
    found = wanted.map((k) => fields[k].name);
  const columns = Object.fromEntries(found.map((name): [string, (string | null)[]] => [name, []]));
  for await (const part of reader.parts(wanted)) addTexts(part, found, columns);
  await reader.close();
  return { fields, columns };
}

/** Writes a table with answers. */
export async function writeNumpy(
  bytes: Uint8Array,
  fieldsOf: (found: readonly TableField[]) => AnswerField[],
  answersOf: (rows: number) => AnswerValues[],
): Promise<Buffer> {
  const { sink, written } = sinkTo(),
    format = formatOf(bytes),
    { reader } = format;
  const found = await reader.open(),
    writer = format.writerTo(sink);
  await writer.begin(fieldsOf(found));
  for await (const part of reader.parts([found.findIndex(({ type }) => type.kind !== 'other')]))
    await writer.write(part, answersOf(part.rows));
  await writer.finish();
  await reader.close();
  return written();
}
