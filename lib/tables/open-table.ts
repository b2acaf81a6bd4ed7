/** Opens a table: connects each format to the class that reads and writes it. */
import type { FormatName, IdFormatName } from './formats.ts';
import type { ColumnChoice } from './table.ts';
import { Delimited } from './text/delimited.ts';
import { JsonLines } from './text/json-lines.ts';
import type { TextFormat } from './text/text-format.ts';
import { TextTable, type TextTableOptions } from './text/text-table.ts';

/** How the text of a table differs from the usual text of its format. */
export interface TextOptions {
  /** The character between fields. @default the delimiter of the format */
  delimiter?: string;
  /** Whether coordinates have a decimal comma. @default false */
  decimalComma?: boolean;
}

/** Options of `openTable`. */
export interface TableOptions extends TextTableOptions {
  format: IdFormatName;
  text?: TextOptions;
  /** The column name of the IDs of a list. @default 'id' */
  listName?: string;
}

type CreateFormat = (columns: ColumnChoice, text: TextOptions) => TextFormat;

const delimited =
  (usual: string): CreateFormat =>
  (columns, { delimiter, decimalComma }) =>
    new Delimited(
      { delimiter: delimiter ?? usual, isDelimiterGiven: delimiter !== undefined, decimalComma },
      columns,
    );

const FORMAT_FACTORIES: Readonly<Record<FormatName, CreateFormat>> = {
  csv: delimited(','),
  tsv: delimited('\t'),
  jsonl: (columns) => new JsonLines(columns),
};

/**
 * Opens a table in a stream of bytes. `batches()` yields its rows; `sinkTo()` writes them again with their
 * answers.
 */
export function openTable(
  bytes: AsyncIterable<Uint8Array>,
  columns: ColumnChoice,
  { format, text = {}, listName = 'id', ...options }: TableOptions,
): TextTable {
  return new TextTable(openFormat(format, columns, text, listName), bytes, options);
}

function openFormat(
  format: IdFormatName,
  columns: ColumnChoice,
  text: TextOptions,
  listName: string,
): TextFormat {
  if (format !== 'list' && format !== 'tab-list') return FORMAT_FACTORIES[format](columns, text);
  const delimiter = text.delimiter ?? (format === 'list' ? ',' : '\t');
  return new Delimited({ delimiter, header: [listName] }, columns);
}
