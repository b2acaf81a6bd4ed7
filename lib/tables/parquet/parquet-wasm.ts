/**
 * Reads Parquet files as Arrow, and writes them: the package parquet-wasm keeps all types that Arrow has.
 */
import { open } from 'node:fs/promises';
import type * as ParquetWasm from 'parquet-wasm';
import { TableError } from '../../base/errors.ts';
import type { ArrowInput } from '../arrow/arrow-messages.ts';
import { openArrowStream } from '../arrow/arrow-stream.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import { FileReader } from '../files/file-reader.ts';
import { PageChecks } from './page-checksums.ts';
import { listOf, type ParquetFooter, readFooter, textOf } from './parquet-footer.ts';
import type { ThriftStruct } from './thrift.ts';

const PACKAGE = 'parquet-wasm';
/** The rows of a record batch. Each is in memory three times. */
const BATCH_ROWS = 2 ** 16;

/** The package. */
export type ParquetPackage = typeof ParquetWasm;

/** Imports the package. @throws TableError PACKAGE_MISSING. */
export async function loadParquetPackage(): Promise<ParquetPackage> {
  try {
    return await import('parquet-wasm');
  } catch (error) {
    throw new TableError(
      'PACKAGE_MISSING',
      `an output in another format than Parquet, or the other way round, needs the package ${PACKAGE}, which could not be loaded; to install it: npm install ${PACKAGE}`,
      { cause: error },
    );
  }
}

/** Opens a Parquet file, to read all of its columns. @throws TableError BAD_FORMAT. */
export async function openParquetAsArrow(path: string, name: string): Promise<ArrowInput> {
  const { ParquetFile } = await loadParquetPackage();
  const rethrow = (error: unknown): never => {
    throw damaged(error);
  };
  const damaged = (error: unknown): unknown =>
    error instanceof TableError
      ? error
      : new TableError('BAD_FORMAT', `${name} cannot be read as Parquet: ${firstLine(error)}`);
  const damagedPages = (error: unknown): never => {
    throw error instanceof TableError && error.code === 'BAD_FORMAT'
      ? new TableError('BAD_FORMAT', `${name} cannot be read as Parquet: ${error.message}`)
      : error;
  };
  const file = await FileReader.open(path),
    checked = await open(path);
  const close = async (): Promise<void> => {
    await file.close();
    await checked.close();
  };
  try {
    const footer = await readFooter(checked).catch(damagedPages),
      pages = new PageChecks(checked, footer, [...footer.columns.keys()]);
    // The package only slices its input, and reads the slices.
    const parquet = await ParquetFile.fromFile(new FileSlice(file, 0, file.size) as unknown as Blob);
    const stream = (await parquet.stream({
        batchSize: BATCH_ROWS,
      })) as ReadableStream<ParquetWasm.RecordBatch>,
      batches = stream.getReader();
    const next = async (): Promise<{ rows: number; input: ArrowInput } | undefined> => {
      const { value } = await batches.read();
      if (!value) return undefined;
      const rows = value.numRows;
      return { rows, input: await readStream(value.intoIPCStream()) };
    };
    let batch = await next();
    // The schema of the file may differ from that of its batches in types that hold the same values.
    const { version, schema } = batch?.input ?? (await readStream(parquet.schema().intoIPCStream()));
    return {
      isFile: false,
      version,
      schema,
      // The package leaves out the metadata of the table.
      addedMetadata: batch && metadataOf(footer),
      async *batches() {
        let rows = 0;
        for (; batch; batch = await next().catch(rethrow)) {
          rows += batch.rows;
          await pages.until(rows).catch(damagedPages);
          yield* batch.input.batches();
        }
        const expected = parquet.metadata().fileMetadata().numRows();
        if (rows !== expected)
          throw new TableError(
            'BAD_FORMAT',
            `${name} cannot be read as Parquet: it has ${rows} rows, and its footer says ${expected}`,
          );
      },
      close,
    };
  } catch (error) {
    await close();
    throw damaged(error);
  }
}

/** The schema of Arrow as pyarrow keeps it: the output has its own. */
const ARROW_SCHEMA = 'ARROW:schema';

function metadataOf({ metadata }: ParquetFooter): Map<string, string> {
  const pairs = metadata.has(5) ? (listOf(metadata, 5).items as ThriftStruct[]) : [];
  return new Map(
    pairs
      .filter((pair) => pair.has(2) && textOf(pair, 1) !== ARROW_SCHEMA)
      .map((pair) => [textOf(pair, 1), textOf(pair, 2)]),
  );
}

const readStream = (bytes: Uint8Array): Promise<ArrowInput> => openArrowStream(new ByteQueue(once(bytes)));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A part of a file, as far as the package needs a Blob. */
class FileSlice {
  readonly #file: FileReader;
  readonly #start: number;
  readonly size: number;

  constructor(file: FileReader, start: number, size: number) {
    this.#file = file;
    this.#start = start;
    this.size = size;
  }

  slice(from = 0, end = this.size): FileSlice {
    return new FileSlice(this.#file, this.#start + from, Math.max(0, end - from));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#file.read(this.#start, this.size)).buffer;
  }
}

/** Returns the first line of an error, as it may come from WebAssembly. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text === 'unreachable' ? 'its content is damaged' : text.split('\n')[0].slice(0, 300);
}
