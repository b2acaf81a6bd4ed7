/** Turns the answers of a batch into typed columns, with null where there is no answer. */
import { TableError } from '../../base/errors.ts';
import { wordsOf } from '../../base/uint64.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import { type AnswerColumn, type AnswerPlace, isUnanswered, isUnread } from '../answers.ts';
import type { AnswerType, AnswerValues, IdType, NumberArray } from './column.ts';

const { background } = PointStatus;

/** For each status: 1 if the row was read, so that it may have an answer. */
const WAS_READ = Uint8Array.from({ length: 256 }, (_, status) => (isUnread(status) ? 0 : 1));
const STATUS_TEXTS = Array.from({ length: 256 }, (_, status) => statusText(status));

/** Returns the type of an output column. @param idType The type of uint64 columns. */
export function typeOfAnswers({ group, column }: AnswerPlace, idType: IdType): AnswerType {
  if (column === group.columns.length) return 'string';
  const { values, words } = group.columns[column];
  if (words) return words.length === 2 && words[0] === 'false' && words[1] === 'true' ? 'boolean' : 'string';
  return values instanceof BigUint64Array ? idType : typeOfArray(values);
}

function typeOfArray(values: NumberArray): AnswerType {
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof BigInt64Array) return 'int64';
  if (values instanceof BigUint64Array) return 'uint64';
  if (values instanceof Int32Array) return 'int32';
  if (values instanceof Uint32Array) return 'uint32';
  if (values instanceof Int16Array) return 'int16';
  if (values instanceof Uint16Array) return 'uint16';
  return values instanceof Int8Array ? 'int8' : 'uint8';
}

/**
 * Returns the values of an output column for all rows of a batch. They may be views of the answers.
 *
 * @throws TableError BAD_FORMAT if an ID does not fit into `type`.
 */
export function valuesOfAnswers(
  place: AnswerPlace,
  rows: number,
  name: string,
  type: AnswerType,
): AnswerValues {
  const { group, column, first } = place;
  if (column === group.columns.length)
    return { values: group.status.subarray(first, first + rows), spellings: [...STATUS_TEXTS] };
  const answers = group.columns[column],
    values = gather(answers, first, rows),
    valid = presentRows(place, rows, values);
  if (answers.words && type === 'string') return { values, valid, spellings: [...answers.words] };
  if (!(values instanceof BigUint64Array) || type === 'uint64') return { values, valid };
  return type === 'int64' ? { values: toSigned(values, name), valid } : { ...toTexts(values, valid), valid };
}

/** Returns the values of a column of answers without its stride. A view where there is none. */
function gather({ values, stride, offset }: AnswerColumn, first: number, rows: number): NumberArray {
  if (stride === 1) return values.subarray(first + offset, first + offset + rows);
  const gathered = values.slice(0, rows);
  for (let row = 0, at = first * stride + offset; row < rows; row++, at += stride) gathered[row] = values[at];
  return gathered;
}

/** Returns which rows have an answer; undefined if all have one. The values may be gathered already. */
function presentRows(
  { group, column, first }: AnswerPlace,
  rows: number,
  values: NumberArray,
): Uint8Array | undefined {
  const { zeroMeansMissing, decimals, words: texts } = group.columns[column],
    { status, presetStatus } = group;
  if (zeroMeansMissing && values instanceof BigUint64Array && !texts && decimals === undefined)
    return presentIds(
      wordsOf(values),
      status.subarray(first, first + rows),
      presetStatus?.subarray(first, first + rows),
    );
  const valid = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) valid[row] = WAS_READ[status[first + row]];
  if (presetStatus) for (let row = 0; row < rows; row++) if (presetStatus[first + row] !== 0) valid[row] = 0;
  if (texts) {
    for (let row = 0; row < rows; row++) if (Number(values[row]) >= texts.length) valid[row] = 0;
  } else if (decimals !== undefined)
    for (let row = 0; row < rows; row++) if (Number.isNaN(values[row])) valid[row] = 0;
  return valid.includes(0) ? valid : undefined;
}

/** Returns which rows have an ID, where 0 is an ID on background only; undefined if all have one. */
function presentIds(
  words: Uint32Array,
  status: Uint8Array,
  presetStatus: Uint8Array | undefined,
): Uint8Array | undefined {
  let valid: Uint8Array | undefined;
  for (let row = 0; row < status.length; row++) {
    const code = status[row];
    if (
      WAS_READ[code] === 1 &&
      ((words[2 * row] | words[2 * row + 1]) !== 0 || code === background) &&
      (presetStatus === undefined || presetStatus[row] === 0)
    )
      continue;
    valid ??= new Uint8Array(status.length).fill(1);
    valid[row] = 0;
  }
  return valid;
}

function toSigned(values: BigUint64Array, name: string): BigInt64Array {
  const words = wordsOf(values);
  for (let row = 0; row < values.length; row++)
    if (words[2 * row + 1] >>> 31 !== 0)
      throw new TableError(
        'BAD_FORMAT',
        `column ${name}: int64 cannot hold the ID ${values[row]}: write uint64 or string IDs`,
      );
  return new BigInt64Array(values.buffer, values.byteOffset, values.length);
}

function toTexts(values: BigUint64Array, valid: Uint8Array | undefined): AnswerValues {
  return {
    values: Uint32Array.from({ length: values.length }, (_, row) => row),
    spellings: Array.from(values, (id, row) => (valid?.[row] === 0 ? '' : String(id))),
  };
}

/** Returns which rows keep the old value of an output column: 1 for each; undefined if none does. */
export function keptRows(
  { group, column, first }: AnswerPlace,
  rows: number,
  valid: Uint8Array | undefined,
): Uint8Array | undefined {
  const kept = new Uint8Array(rows);
  for (let row = 0; row < rows; row++)
    kept[row] = group.keeps
      ? Number(group.keeps(first + row, column))
      : Number(
          column < group.columns.length && valid?.[row] === 0 && isUnanswered(group.status[first + row]),
        );
  return kept.includes(1) ? kept : undefined;
}
