/** Which format a table has. */
import { Delimited } from './text/delimited.ts';
import { JsonLines } from './text/json-lines.ts';
import type { ColumnChoice, TableFormat } from './table.ts';

export const FORMATS = ['csv', 'tsv', 'jsonl'] as const;
export type FormatName = (typeof FORMATS)[number];

const SUFFIXES: Record<string, FormatName> = { csv: 'csv', tsv: 'tsv', jsonl: 'jsonl', ndjson: 'jsonl' };

/** Format of a file by its suffix, that of its packing left out; undefined for any other. */
export const formatOfFile = (path: string): FormatName | undefined =>
  SUFFIXES[/\.([^./\\]+?)(?:\.(?:gz|gzip|zst|zstd))?$/i.exec(path)?.[1].toLowerCase() ?? ''];

/** `list`: one ID a line and nothing else; it is written as CSV, `tab-list` as TSV. */
export type IdFormatName = FormatName | 'list' | 'tab-list';

/** How the text of a table is written, where it is not as usual. */
export interface TextOptions {
  /** Between fields. @default what the format says */
  delimiter?: string;
  /** @default false */
  decimalComma?: boolean;
}

export function openFormat(
  name: FormatName,
  columns: ColumnChoice,
  { delimiter, decimalComma }: TextOptions = {},
): TableFormat {
  if (name === 'jsonl') return new JsonLines(columns);
  return new Delimited(
    { delimiter: delimiter ?? (name === 'tsv' ? '\t' : ','), sure: delimiter !== undefined, decimalComma },
    columns,
  );
}

/** @param header What the IDs of a list are called. */
export const openIdList = (
  name: 'list' | 'tab-list',
  header: string,
  columns: ColumnChoice,
  { delimiter }: TextOptions = {},
): TableFormat =>
  new Delimited({ delimiter: delimiter ?? (name === 'tab-list' ? '\t' : ','), header: [header] }, columns);
