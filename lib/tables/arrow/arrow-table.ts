/** Arrow files and streams as tables. */
import { TableError } from '../../base/errors.ts';
import type { ColumnarFormat } from '../columnar/columnar-table.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import { FileReader } from '../files/file-reader.ts';
import type { TableInput } from '../files/table-input.ts';
import { openArrowFile } from './arrow-file.ts';
import type { ArrowInput } from './arrow-messages.ts';
import { type ArrowPart, ArrowReader } from './arrow-reader.ts';
import { openArrowStream } from './arrow-stream.ts';
import { ArrowWriter } from './arrow-writer.ts';

const FILE_MAGIC = 'ARROW1',
  FEATHER_1_MAGIC = 'FEA1';

/**
 * Makes the reader and the writer of an Arrow table.
 * @param maxExpanded See {@link ArrowReader}.
 */
export function arrowFormat(input: TableInput, maxExpanded?: number): ColumnarFormat<ArrowPart> {
  const reader = new ArrowReader(() => openArrow(input), maxExpanded);
  return { reader, writerTo: (out) => new ArrowWriter(reader, out) };
}

/** Opens a stream as it comes; a file is copied first if it comes as a stream. @throws TableError. */
export async function openArrow(input: TableInput): Promise<ArrowInput> {
  const queue = new ByteQueue(input.bytes());
  try {
    const start = Buffer.from(await queue.peek(FILE_MAGIC.length)).toString('latin1');
    if (start.startsWith(FEATHER_1_MAGIC))
      throw new TableError(
        'BAD_FORMAT',
        `${input.name} has version 1 of Feather, which is not read: write it again with pandas or pyarrow`,
      );
    if (start !== FILE_MAGIC) return await openArrowStream(queue);
    const file = await FileReader.open(await input.file(queue.all()));
    await queue.close();
    return await openArrowFile(file).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
  } catch (error) {
    await queue.close();
    throw error;
  }
}
