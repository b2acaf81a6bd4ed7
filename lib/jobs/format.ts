/** Which format a table has. */
import { Delimited } from './delimited.ts';
import { JsonLines } from './json-lines.ts';
import type { TableColumns, TableFormat } from './table.ts';

export const FORMATS = ['csv', 'tsv', 'jsonl'] as const;
export type FormatName = (typeof FORMATS)[number];

const SUFFIXES: Record<string, FormatName> = { csv: 'csv', tsv: 'tsv', jsonl: 'jsonl', ndjson: 'jsonl' };

/** Format of a file by its suffix; undefined for any other. */
export const formatOfFile = (path: string): FormatName | undefined => SUFFIXES[/\.([^./\\]+)$/.exec(path)?.[1].toLowerCase() ?? ''];

export function openFormat(name: FormatName, columns: TableColumns): TableFormat {
  if (name === 'jsonl') return new JsonLines(columns);
  return new Delimited(name === 'tsv' ? '\t' : ',', columns);
}
