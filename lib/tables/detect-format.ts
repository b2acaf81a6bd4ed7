/** Detects the format of a table of IDs from its first lines. */
import type { FormatName, IdFormatName } from './formats.ts';
import { isMissing } from './missing.ts';

/** An ID, or a number that was meant to be one. */
const NUMBER = /^[+-]?[\d.]+(?:e[+-]?\d+)?$/i;
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

/** Returns the first lines. @param text The bytes read so far, decoded as latin1. */
const linesOf = (text: string): string[] =>
  text
    .replace(BYTE_ORDER_MARK, '')
    .trimStart()
    .split(/[\r\n]+/, 3);

/**
 * Returns whether the text is enough to detect the format: the first line, or two lines if the first has both
 * commas and tabs.
 */
export function canDetectFormat(text: string): boolean {
  const lines = linesOf(text);
  const wanted = fieldsOf(lines[0], ',') > 1 && fieldsOf(lines[0], '\t') > 1 ? 2 : 1;
  return lines.length > wanted;
}

/**
 * Detects the format of a table of IDs. If the first line is an ID or a word for a missing ID, the table is a
 * list without a header, whatever the suffix of the file.
 */
export function detectFormat(
  text: string,
  { given, suffix }: { given?: FormatName; suffix?: FormatName },
): IdFormatName {
  const known = given ?? suffix,
    [first, second = ''] = linesOf(text).map((line) => line.trim());
  if (given === 'jsonl' || (first === '' && known !== undefined)) return known!;
  const value = /^"([^"]*)"$/.exec(first)?.[1] ?? first;
  // pandas writes 0 as the header of an unnamed Series.
  const isHeader = value === '0' && (known === 'csv' || known === 'tsv');
  if (!isHeader && (NUMBER.test(value) || isMissing(value))) return known === 'tsv' ? 'tab-list' : 'list';
  return known ?? (first.startsWith('{') ? 'jsonl' : separatorOf(first, second));
}

function separatorOf(first: string, second: string): 'csv' | 'tsv' {
  const tabs = fieldsOf(first, '\t'),
    commas = fieldsOf(first, ',');
  if (tabs === 1 || commas === 1) return tabs > 1 ? 'tsv' : 'csv';
  const byTabs = fieldsOf(second, '\t') === tabs,
    byCommas = fieldsOf(second, ',') === commas;
  return byTabs === byCommas ? (tabs > commas ? 'tsv' : 'csv') : byTabs ? 'tsv' : 'csv';
}

/** Counts the fields of a line. Separators in quotes do not count. */
const fieldsOf = (line: string, separator: string): number =>
  line.replace(/"(?:[^"]|"")*"?/g, '').split(separator).length;
