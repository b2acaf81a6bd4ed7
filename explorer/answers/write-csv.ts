/** Writes rows as CSV that is safe to open in a spreadsheet. */
import type { Answers } from './answers.ts';
import { Change } from './answers.ts';

export interface CsvRows {
  readonly coordinates: Float64Array;
  readonly columns: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly answers: Answers;
  /** Which rows, in which order. @default all, in the order of the points */
  readonly rows?: Uint32Array;
  /** The second timestamp, if roots were compared. */
  readonly otherTimestamp?: string;
}

const PLAIN_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Spreadsheets run a cell that begins with one of these. @see OWASP, "CSV Injection" */
const FORMULA = /^[\s"']*[=+\-@\t\r|%]/;
/** Rows of one part of the text. */
const STRETCH = 4096;

/** Returns whether a spreadsheet would run the text as a formula. A number such as -5 is none. */
export const isFormula = (text: string): boolean => FORMULA.test(text) && !PLAIN_NUMBER.test(text);

/** One cell. A text that a spreadsheet would run gets an apostrophe before it. */
export function csvCell(text: string): string {
  const safe = isFormula(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Yields the text in parts, the header first. Columns of the reader keep their names and come first. */
export function* writeCsv({
  coordinates,
  columns,
  answers,
  rows,
  otherTimestamp,
}: CsvRows): Generator<string> {
  const names = [...columns.map(({ name }) => name), 'x', 'y', 'z', 'supervoxel_id'];
  if (answers.hasRoots) names.push('root_id');
  names.push('status');
  if (otherTimestamp !== undefined) names.push(`root_id at ${otherTimestamp}`, 'changed');
  yield `${names.map(csvCell).join(',')}\r\n`;
  const count = rows?.length ?? answers.rows;
  for (let from = 0; from < count; from += STRETCH) {
    let text = '';
    for (let k = from; k < Math.min(count, from + STRETCH); k++) {
      const row = rows ? rows[k] : k;
      for (const { values } of columns) text += `${csvCell(values[row])},`;
      for (let axis = 0; axis < 3; axis++) {
        const value = coordinates[3 * row + axis];
        text += `${Number.isNaN(value) ? '' : value},`;
      }
      text += `${answers.supervoxelText(row)},`;
      if (answers.hasRoots) text += `${answers.rootText(row)},`;
      text += answers.statusText(row);
      if (otherTimestamp !== undefined)
        text += `,${answers.otherRootText(row)},${CHANGE_TEXTS[answers.change[row]]}`;
      text += '\r\n';
    }
    yield text;
  }
}

const CHANGE_TEXTS = { [Change.unknown]: '', [Change.same]: 'no', [Change.changed]: 'yes' } as Readonly<
  Record<number, string>
>;

/** Counts the cells that get an apostrophe. */
export const countFormulas = (columns: CsvRows['columns']): number =>
  columns.reduce((sum, { values }) => sum + values.filter(isFormula).length, 0);
