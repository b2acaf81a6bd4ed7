/** What reads and writes each format. */
import type { FormatName, IdFormatName } from './formats.ts';
import type { ColumnChoice } from './table.ts';
import { Delimited } from './text/delimited.ts';
import { JsonLines } from './text/json-lines.ts';
import type { TextFormat } from './text/text-format.ts';
import { TextTable, type TextTableOptions } from './text/text-table.ts';

/** How the text of a table is written, where it is not as usual. */
export interface TextOptions {
  /** Between fields. @default what the format says */
  delimiter?: string;
  /** @default false */
  decimalComma?: boolean;
}

export interface TableOptions extends TextTableOptions {
  format: IdFormatName;
  text?: TextOptions;
  /** What the IDs of a list are called. @default id */
  listName?: string;
}

type Opened = (columns: ColumnChoice, text: TextOptions) => TextFormat;

const delimited =
  (usual: string): Opened =>
  (columns, { delimiter, decimalComma }) =>
    new Delimited({ delimiter: delimiter ?? usual, sure: delimiter !== undefined, decimalComma }, columns);

const OPENED: Readonly<Record<FormatName, Opened>> = {
  csv: delimited(','),
  tsv: delimited('\t'),
  jsonl: (columns) => new JsonLines(columns),
};

/** A table in a stream of bytes: its rows are `batches()`, and go with their answers where `sinkTo` says. */
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
  if (format !== 'list' && format !== 'tab-list') return OPENED[format](columns, text);
  const delimiter = text.delimiter ?? (format === 'list' ? ',' : '\t');
  return new Delimited({ delimiter, header: [listName] }, columns);
}
