/** Puts the old values of a column in place of answers, for the rows that keep them. */
import { TableError } from '../../base/errors.ts';
import { PointStatus } from '../../points/status.ts';
import {
  type AnswerType,
  type AnswerValues,
  type ColumnValues,
  isPresent,
  type NumberArray,
} from './column.ts';
import { readIds } from './column-ids.ts';
import { valueText } from './column-numbers.ts';

const { invalidId } = PointStatus;

/** What the old values are put into. */
export interface KeptTarget {
  name: string;
  type: AnswerType;
  /** Returns the name of a row of the part in messages. */
  nameOf: (row: number) => string;
}

/**
 * Returns answers with the old values of the rows that keep them. New texts are added to the spellings.
 *
 * @param kept 1 for each row of the part that keeps its old value.
 * @throws TableError BAD_ROW if the type of the answers cannot hold an old value.
 */
export function keepValues(
  answers: AnswerValues,
  old: ColumnValues,
  kept: Uint8Array,
  target: KeptTarget,
): AnswerValues {
  const isNull = (row: number): boolean => old.validity !== undefined && !isPresent(old.validity, row);
  const values = answers.values.slice(),
    valid = answers.valid?.slice() ?? new Uint8Array(kept.length).fill(1);
  for (let row = 0; row < kept.length; row++) if (kept[row]) valid[row] = isNull(row) ? 0 : 1;
  if (target.type === 'string') return keepTexts(answers, old, kept, valid);
  if (target.type === 'uint64' || target.type === 'int64') keepIds(values, valid, old, kept, target);
  else keepNumbers(values, valid, old, kept, target);
  return { values, valid };
}

const BOOLEANS: Readonly<Record<string, number>> = { false: 0, true: 1 };

const cannotHold = ({ name, type, nameOf }: KeptTarget, row: number, text: string): TableError =>
  new TableError(
    'BAD_ROW',
    `${nameOf(row)}: column ${name} keeps its old value ${JSON.stringify(text.slice(0, 60))}, which ${type} cannot hold`,
  );

function keepNumbers(
  values: NumberArray,
  valid: Uint8Array,
  old: ColumnValues,
  kept: Uint8Array,
  target: KeptTarget,
): void {
  for (let row = 0; row < kept.length; row++) {
    if (!kept[row] || !valid[row]) continue;
    const text = valueText(old, row).trim();
    if (text === '') {
      valid[row] = 0;
      continue;
    }
    const number = BOOLEANS[text.toLowerCase()] ?? Number(text);
    values[row] = number;
    if (!Object.is(values[row], target.type === 'float32' ? Math.fround(number) : number) && text !== 'NaN')
      throw cannotHold(target, row, text);
  }
}

/** Copies 64-bit integers as words. */
function keepIds(
  values: NumberArray,
  valid: Uint8Array,
  old: ColumnValues,
  kept: Uint8Array,
  target: KeptTarget,
): void {
  const count = kept.length,
    to = new Uint32Array(values.buffer, values.byteOffset, 2 * count),
    isSigned = target.type === 'int64',
    status = new Uint8Array(count);
  let from: Uint32Array;
  const isSame = old.kind === 'number' && old.values instanceof (isSigned ? BigInt64Array : BigUint64Array);
  if (isSame) from = new Uint32Array(old.values.buffer, old.values.byteOffset, 2 * count);
  else readIds(old, count, (from = new Uint32Array(2 * count)), status);
  for (let row = 0; row < count; row++) {
    if (!kept[row] || !valid[row]) continue;
    if (status[row] === invalidId || (!isSame && isSigned && from[2 * row + 1] >>> 31 !== 0))
      throw cannotHold(target, row, valueText(old, row));
    if (status[row] !== 0) valid[row] = 0;
    to[2 * row] = from[2 * row];
    to[2 * row + 1] = from[2 * row + 1];
  }
}

function keepTexts(
  { values, spellings = [] }: AnswerValues,
  old: ColumnValues,
  kept: Uint8Array,
  valid: Uint8Array,
): AnswerValues {
  const indices = new Map<string, number>(),
    merged = Uint32Array.from(values as Uint32Array);
  for (let row = 0; row < kept.length; row++) {
    if (!kept[row] || !valid[row]) continue;
    const text = valueText(old, row);
    let index = indices.get(text);
    if (index === undefined) indices.set(text, (index = spellings.push(text) - 1));
    merged[row] = index;
  }
  return { values: merged, spellings, valid };
}
