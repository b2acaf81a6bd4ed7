/** Makes the writers of outputs in another format than their input. */
import { TableError } from '../../base/errors.ts';
import type { ArrowPart } from '../arrow/arrow-reader.ts';
import { dictionaryFields } from '../arrow/arrow-schema.ts';
import { type ArrowOrigin, ArrowWriter } from '../arrow/arrow-writer.ts';
import type { ColumnarWriter } from '../columnar/column.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import type { FormatName } from '../formats.ts';
import type { MissingText } from '../missing.ts';
import { NpyOutput } from './npy-output.ts';
import { ParquetOutput } from './parquet-output.ts';
import { TextOutput } from './text-output.ts';

/** The format of an output. */
export interface OutputFormat {
  format: FormatName;
  /** Whether Arrow is written as a stream and not as a file. @default false */
  isStream?: boolean;
}

/** Makes the writer of an output. @throws TableError BAD_FORMAT for a format that is not written. */
export function writerOfOutput(
  { format, isStream = false }: OutputFormat,
  origin: ArrowOrigin,
  out: ByteSink,
  missing?: MissingText,
): ColumnarWriter<ArrowPart> & { close?(): Promise<void> } {
  switch (format) {
    case 'parquet':
      return new ParquetOutput(origin, out);
    case 'arrow': {
      const [dictionary] = dictionaryFields(origin.schema.fields);
      const joinsDictionaries = !isStream && dictionary !== undefined;
      return new ArrowWriter(origin, out, { isFile: !isStream, joinsDictionaries });
    }
    case 'npy':
      return new NpyOutput(origin, out);
    case 'npz':
      throw new TableError(
        'BAD_FORMAT',
        'only a .npz input is written as .npz: write a .npy, .parquet or .csv file',
      );
    default:
      return new TextOutput(origin, out, format, missing);
  }
}

/**
 * Checks that an output can hold the columns of its input, before any row is looked up. @throws TableError
 * BAD_FORMAT.
 */
export async function requireOutput(output: OutputFormat, origin: ArrowOrigin): Promise<void> {
  const nowhere: ByteSink = {
    write: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(undefined),
  };
  const writer = writerOfOutput(output, origin, nowhere);
  try {
    await writer.begin([]);
    await writer.finish();
  } finally {
    await writer.close?.();
  }
}
