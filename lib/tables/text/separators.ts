/** Checks the separator of a table against its header, before any column is chosen by it. */
import { TableError } from '../../base/errors.ts';

/** The name of each separator in messages, and its value for --delimiter. */
const SEPARATORS: Readonly<Record<string, { name: string; option: string }>> = {
  ',': { name: 'comma', option: ',' },
  ';': { name: 'semicolon', option: "';'" },
  '\t': { name: 'tab', option: 'tab' },
  '|': { name: 'bar', option: "'|'" },
};

const QUOTE = 34;

/**
 * Refuses a header that has more of another separator than of this one, because its columns would be wrong.
 *
 * @throws TableError BAD_FORMAT, with the option that sets the separator.
 */
export function checkSeparator(header: Buffer, delimiter: string): void {
  const counts = new Map(Object.keys(SEPARATORS).map((separator) => [separator.charCodeAt(0), 0]));
  let quoted = false;
  for (const byte of header) {
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && counts.has(byte)) counts.set(byte, counts.get(byte)! + 1);
  }
  const countOf = (separator: string): number => counts.get(separator.charCodeAt(0)) ?? 0,
    own = countOf(delimiter);
  const [other] = Object.keys(SEPARATORS).sort((a, b) => countOf(b) - countOf(a));
  if (other === delimiter || countOf(other) <= own) return;
  const { option } = SEPARATORS[other],
    ours = SEPARATORS[delimiter];
  const shown = (separator: string): string =>
    `${countOf(separator)} ${SEPARATORS[separator].name}${countOf(separator) === 1 ? '' : 's'}`;
  throw new TableError(
    'BAD_FORMAT',
    `the header has ${shown(other)} and ${shown(delimiter)}: add the delimiter (--delimiter ${option}, or --delimiter ${ours.option} if that is right)`,
  );
}
