/** Reads tables of all columnar formats as Arrow, with all of their columns. */
import type { ArrowInput } from '../arrow/arrow-messages.ts';
import { type ArrowPart, ArrowReader } from '../arrow/arrow-reader.ts';
import { openArrow } from '../arrow/arrow-table.ts';
import type { ColumnarFormat } from '../columnar/columnar-table.ts';
import { FileReader } from '../files/file-reader.ts';
import type { TableInput } from '../files/table-input.ts';
import type { ColumnarFormatName } from '../formats.ts';
import { NpyReader } from '../numpy/npy-table.ts';
import { NpzReader } from '../numpy/npz-reader.ts';
import { openParquetAsArrow } from '../parquet/parquet-wasm.ts';
import { joinInputs } from './joined-inputs.ts';
import { itemsAsArrow } from './numpy-input.ts';
import { type OutputFormat, requireOutput, writerOfOutput } from './outputs.ts';

/** Makes the reader of a columnar table, and the writer of its rows in another format. */
export function convertedFormat(
  input: TableInput,
  format: ColumnarFormatName,
  output: OutputFormat,
  listName: string,
): ColumnarFormat<ArrowPart> {
  const { parts } = input;
  const reader = new ArrowReader(() =>
    parts
      ? joinInputs(
          parts.map((part) => ({ name: part.name, open: () => openAsArrow(part, format, listName) })),
        )
      : openAsArrow(input, format, listName),
  );
  let close: (() => Promise<void>) | undefined;
  return {
    reader: {
      async open() {
        const fields = await reader.open();
        await requireOutput(output, reader);
        return fields;
      },
      parts: (fields) => reader.parts(fields),
      async close() {
        await reader.close();
        await close?.();
      },
    },
    writerTo(out, missing) {
      const writer = writerOfOutput(output, reader, out, missing);
      close = () => writer.close?.() ?? Promise.resolve();
      return writer;
    },
  };
}

/** Opens a table of a columnar format. @throws TableError. */
async function openAsArrow(
  input: TableInput,
  format: ColumnarFormatName,
  listName: string,
): Promise<ArrowInput> {
  const openFile = async (): Promise<FileReader> => FileReader.open(await input.file());
  switch (format) {
    case 'arrow':
      return openArrow(input);
    case 'parquet':
      return openParquetAsArrow(await input.file(), input.name);
    case 'npy':
      return closing(new NpyReader(openFile, listName), npyAsArrow);
    case 'npz':
      return closing(new NpzReader(openFile), npzAsArrow);
  }
}

/** Opens a reader, and closes it if that fails. */
async function closing<R extends { open(): Promise<unknown>; close(): Promise<void> }>(
  reader: R,
  toInput: (reader: R) => ArrowInput,
): Promise<ArrowInput> {
  try {
    await reader.open();
    return toInput(reader);
  } catch (error) {
    await reader.close();
    throw error;
  }
}

const npyAsArrow = (reader: NpyReader): ArrowInput =>
  itemsAsArrow(
    reader.columns.filter(({ name }) => name !== ''),
    async function* () {
      const named = reader.columns.filter(({ name }) => name !== '');
      for await (const { rows, bytes } of reader.parts([]))
        yield { rows, places: named.map(() => ({ bytes, stride: reader.rowBytes })) };
    },
    () => reader.close(),
  );

/** The parts of the only array are columns, as in a `.npy` file; otherwise each array is. */
function npzAsArrow(reader: NpzReader): ArrowInput {
  const wanted = reader.exportedColumns();
  return itemsAsArrow(
    wanted.map(({ column }) => column),
    () => reader.itemRows(wanted),
    () => reader.close(),
  );
}
