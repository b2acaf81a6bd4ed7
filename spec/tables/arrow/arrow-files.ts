/** Reads and writes Arrow tables for specs. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openArrowFile } from '../../../lib/tables/arrow/arrow-file.ts';
import type { ArrowInput } from '../../../lib/tables/arrow/arrow-messages.ts';
import { ArrowReader } from '../../../lib/tables/arrow/arrow-reader.ts';
import { openArrowStream } from '../../../lib/tables/arrow/arrow-stream.ts';
import { ArrowWriter } from '../../../lib/tables/arrow/arrow-writer.ts';
import {
  type AnswerField,
  type AnswerValues,
  isPresent,
  type TableField,
} from '../../../lib/tables/columnar/column.ts';
import { valueText } from '../../../lib/tables/columnar/column-numbers.ts';
import { ByteQueue } from '../../../lib/tables/files/byte-queue.ts';
import { bytesFile, sinkTo } from '../memory-files.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/tables/arrow');

export const arrowFixture = (name: string): Buffer => readFileSync(join(FOLDER, name));

/** What pyarrow, pandas or polars say that a fixture holds. */
export const ARROW_FIXTURES = JSON.parse(arrowFixture('expected.json').toString()) as {
  ids: string[];
  files: Record<string, { columns: Record<string, (string | null)[]> }>;
};

/** Opens Arrow data of either format. The pieces of a stream end anywhere. */
export function openArrowBytes(bytes: Uint8Array): Promise<ArrowInput> {
  if (Buffer.from(bytes.subarray(0, 6)).toString() === 'ARROW1') return openArrowFile(bytesFile(bytes));
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
  };
  return openArrowStream(new ByteQueue(pieces()));
}

export interface ArrowContent {
  fields: readonly TableField[];
  /** The values of each column as text; null if there is none. */
  columns: Record<string, (string | null)[]>;
  partRows: number[];
}

/** Reads all columns that can be read, or those that are named. */
export async function readArrow(
  bytes: Uint8Array,
  names?: readonly string[],
  maxExpanded?: number,
): Promise<ArrowContent> {
  const reader = new ArrowReader(() => openArrowBytes(bytes), maxExpanded);
  const fields = await reader.open(),
    wanted = [...fields.keys()].filter(
      (k) => fields[k].type.kind !== 'other' && (names?.includes(fields[k].name) ?? true),
    );
  const columns: Record<string, (string | null)[]> = {},
    partRows: number[] = [];
  for (const k of wanted) columns[fields[k].name] = [];
  for await (const part of reader.parts(wanted)) {
    partRows.push(part.rows);
    part.columns.forEach((column, k) => {
      const texts = columns[fields[wanted[k]].name];
      for (let i = 0; i < part.rows; i++)
        texts.push(column.validity && !isPresent(column.validity, i) ? null : valueText(column, i));
    });
  }
  await reader.close();
  return { fields, columns, partRows };
}

/** Writes a table with answers. @param answersOf The answers for the rows of a part. */
export async function writeArrow(
  bytes: Uint8Array,
  fields: (found: readonly TableField[]) => AnswerField[],
  answersOf: (firstRow: number, rows: number) => AnswerValues[],
): Promise<Buffer> {
  const { sink, written } = sinkTo();
  const reader = new ArrowReader(() => openArrowBytes(bytes));
  const found = await reader.open(),
    writer = new ArrowWriter(reader, sink);
  await writer.begin(fields(found));
  let row = 0;
  for await (const part of reader.parts([])) {
    await writer.write(part, answersOf(row, part.rows));
    row += part.rows;
  }
  await writer.finish();
  await reader.close();
  return written();
}
