/** NumPy files as tables: `.npy` with one array, and `.npz` archives. */
import type { ColumnarFormat } from '../columnar/columnar-table.ts';
import { FileReader } from '../files/file-reader.ts';
import type { TableInput } from '../files/table-input.ts';
import { type NpyPart, NpyReader, NpyWriter } from './npy-table.ts';
import { NpzReader } from './npz-reader.ts';
import { NpzWriter } from './npz-writer.ts';

const openFile = (input: TableInput) => async (): Promise<FileReader> => FileReader.open(await input.file());

/**
 * Makes the reader and the writer of a `.npy` file. @param listName The name of the column of a 1-D array.
 */
export function npyFormat(input: TableInput, listName: string): ColumnarFormat<NpyPart> {
  const reader = new NpyReader(openFile(input), listName);
  return { reader, writerTo: (out) => new NpyWriter(reader, out) };
}

/** Makes the reader and the writer of a `.npz` archive. */
export function npzFormat(input: TableInput): ColumnarFormat {
  const reader = new NpzReader(openFile(input));
  let writer: NpzWriter | undefined;
  return {
    reader: {
      open: () => reader.open(),
      parts: (fields) => reader.parts(fields),
      async close() {
        await reader.close();
        await writer?.close();
      },
    },
    writerTo: (out) => (writer = new NpzWriter(reader, out)),
  };
}
