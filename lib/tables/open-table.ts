/** Opens a table: connects each format to the class that reads and writes it. */
import { type ColumnarFormat, ColumnarTable, type ColumnarTableOptions } from './columnar/columnar-table.ts';
import { ConvertedText } from './convert/converted-text.ts';
import type { OutputFormat } from './convert/outputs.ts';
import { type ByteSink, readFileBytes } from './files/byte-streams.ts';
import { decompressTable } from './files/table-compression.ts';
import { isTableInput, streamInput, type TableInput, type TableInputPart } from './files/table-input.ts';
import {
  compressionOfFile,
  type ColumnarFormatName,
  type IdFormatName,
  type TextFormatName,
} from './formats.ts';
import type { ColumnChoice, TableSink, TableSource } from './table.ts';
import type { MissingText } from './missing.ts';
import { Delimited } from './text/delimited.ts';
import { JoinedFiles, type TextFile } from './text/joined-files.ts';
import { JsonLines } from './text/json-lines.ts';
import type { TextFormat } from './text/text-format.ts';
import { TextTable } from './text/text-table.ts';

/** How the text of a table differs from the usual text of its format. */
export interface TextOptions {
  /** The character between fields. @default the delimiter of the format */
  delimiter?: string;
  /** Whether coordinates have a decimal comma. @default false */
  decimalComma?: boolean;
}

/** Options of `openTable`. */
export interface TableOptions extends ColumnarTableOptions {
  format: IdFormatName;
  /** The format of the output, if it is another. @default the format of the input */
  output?: OutputFormat;
  text?: TextOptions;
  /** The column name of the IDs of a list. @default 'id' */
  listName?: string;
  /** Most bytes of a record batch of Arrow when it is decompressed. @default no limit */
  maxExpanded?: number;
}

type CreateFormat = (columns: ColumnChoice, text: TextOptions) => TextFormat;

const delimited =
  (usual: string): CreateFormat =>
  (columns, { delimiter, decimalComma }) =>
    new Delimited(
      { delimiter: delimiter ?? usual, isDelimiterGiven: delimiter !== undefined, decimalComma },
      columns,
    );

const TEXT_FORMATS: Readonly<Record<TextFormatName, CreateFormat>> = {
  csv: delimited(','),
  tsv: delimited('\t'),
  jsonl: (columns) => new JsonLines(columns),
};

/** Options of columnar formats. */
interface OpenColumnarOptions {
  /** The column name of values without a name. */
  listName: string;
  signal?: AbortSignal;
  maxExpanded?: number;
}

/** Imports a columnar format, and makes its reader for an input: of its bytes, or of a file. */
type OpenColumnar = (input: TableInput, options: OpenColumnarOptions) => Promise<ColumnarFormat>;

/** The columnar formats. Each is imported when a table of the format is read. */
const COLUMNAR_FORMATS: Readonly<Record<ColumnarFormatName, OpenColumnar>> = {
  arrow: async (input, { maxExpanded }) =>
    (await import('./arrow/arrow-table.ts')).arrowFormat(input, maxExpanded),
  parquet: async (input) => (await import('./parquet/parquet.ts')).openParquet(input),
  npy: async (input, { listName }) => (await import('./numpy/numpy-table.ts')).npyFormat(input, listName),
  npz: async (input) => (await import('./numpy/numpy-table.ts')).npzFormat(input),
};

/** Returns whether a format is columnar: it is read from an input, and never detected from its text. */
export const isColumnar = (format: IdFormatName): format is ColumnarFormatName => format in COLUMNAR_FORMATS;

/** A table of any format: yields its rows, and writes them again with their answers. */
export interface OpenedTable extends TableSource {
  /** @param missing The text for a missing answer in text tables. @default 'empty' */
  sinkTo(out: ByteSink, missing?: MissingText): TableSink;
}

/**
 * Opens a table. `batches()` yields its rows; `sinkTo()` writes them again with their answers.
 *
 * @param source An input, or the text of a table.
 */
export function openTable(
  source: AsyncIterable<Uint8Array> | TableInput,
  columns: ColumnChoice,
  { format, output, text = {}, listName = 'id', maxExpanded, ...options }: TableOptions,
): OpenedTable {
  if (isColumnar(format)) {
    if (!isTableInput(source)) throw new TypeError(`a table of the format ${format} needs an input`);
    const { signal } = options;
    if (output)
      return new ColumnarTable(
        async () =>
          (await import('./convert/columnar-inputs.ts')).convertedFormat(source, format, output, listName),
        columns,
        options,
      );
    return new ColumnarTable(
      () => COLUMNAR_FORMATS[format](source, { listName, signal, maxExpanded }),
      columns,
      options,
    );
  }
  const create = (choice: ColumnChoice): TextFormat => openFormat(format, choice, text, listName);
  if (output) return openConverted(source, columns, { format, output, text, listName, ...options }, create);
  const files = isTableInput(source) ? source.parts?.map(toTextFile) : undefined;
  if (files) return new TextTable(create(columns), new JoinedFiles(files, create), options);
  const bytes = isTableInput(source) ? decompressTable(source.bytes(), source.name) : source;
  return new TextTable(create(columns), bytes, options);
}

/** Opens a text table whose output has another format. It is read twice, and so from a file. */
function openConverted(
  source: AsyncIterable<Uint8Array> | TableInput,
  columns: ColumnChoice,
  { format, output, listName = 'id', ...options }: TableOptions,
  create: (choice: ColumnChoice) => TextFormat,
): OpenedTable {
  const copied = isTableInput(source) ? undefined : streamInput('the table', () => source, options.signal),
    inputs = copied ? [copied] : ((source as TableInput).parts ?? [source as TableInput]);
  const files = inputs.map((input) => {
    const { name } = input;
    let path: Promise<string> | undefined;
    return {
      name,
      async *text() {
        const bytes = readFileBytes(await (path ??= input.file()), options.signal);
        yield* copied ? bytes : decompressTable(bytes, name);
      },
    };
  });
  const own = create(columns),
    table = new TextTable(
      own,
      files.length > 1 ? new JoinedFiles(files, create) : { [Symbol.asyncIterator]: () => files[0].text() },
      options,
    );
  return new ConvertedText(
    table,
    own,
    async () => {
      const { openTextConverter } = await import('./convert/text-converter.ts');
      const { idType, signal } = options;
      const scanned = files.length > 1 ? files : [{ text: () => files[0].text() }];
      return openTextConverter({
        files: scanned,
        format,
        rows: own,
        listName,
        output: output!,
        idType,
        signal,
      });
    },
    async () => copied?.close(),
  );
}

const toTextFile = (part: TableInputPart): TextFile => ({
  name: part.name,
  text: () => decompressTable(part.bytes(), part.name),
  // Zstandard would be decompressed whole.
  ...(part.isLocal &&
    compressionOfFile(part.name) !== 'zstd' && { peek: () => decompressTable(part.peek(), part.name) }),
});

function openFormat(
  format: Exclude<IdFormatName, ColumnarFormatName>,
  columns: ColumnChoice,
  text: TextOptions,
  listName: string,
): TextFormat {
  if (format !== 'list' && format !== 'tab-list') return TEXT_FORMATS[format](columns, text);
  const delimiter = text.delimiter ?? (format === 'list' ? ',' : '\t');
  return new Delimited({ delimiter, header: [listName] }, columns);
}
