/** What the first lines of a table of IDs say about its format. */
import type { FormatName, IdFormatName } from './formats.ts';
import { isMissing } from './missing.ts';

/** An ID, well or badly written. */
const NUMBER = /^[+-]?[\d.]+(?:e[+-]?\d+)?$/i;
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

/** @param text What is there so far, as latin1. */
const linesOf = (text: string): string[] =>
  text
    .replace(BYTE_ORDER_MARK, '')
    .trimStart()
    .split(/[\r\n]+/, 3);

/** Whether the format can be told from this much: the first line, and where that has commas and tabs, the second. */
export function canDetectFormat(text: string): boolean {
  const lines = linesOf(text);
  const wanted = fieldsOf(lines[0], ',') > 1 && fieldsOf(lines[0], '\t') > 1 ? 2 : 1;
  return lines.length > wanted;
}

/**
 * What a table of IDs is.
 * @returns the format; a list has no header: its first line is an ID or says that there is none, whatever the file is called.
 */
export function detectFormat(
  text: string,
  { given, suffix }: { given?: FormatName; suffix?: FormatName },
): IdFormatName {
  const known = given ?? suffix,
    [first, second = ''] = linesOf(text).map((line) => line.trim());
  if (given === 'jsonl' || (first === '' && known !== undefined)) return known!;
  const value = /^"([^"]*)"$/.exec(first)?.[1] ?? first;
  // pandas calls the only column of a Series 0.
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

/** Fields of a line, separators in quotes left out. */
const fieldsOf = (line: string, separator: string): number =>
  line.replace(/"(?:[^"]|"")*"?/g, '').split(separator).length;
