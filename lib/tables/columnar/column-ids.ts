/** Reads columns of uint64 IDs, exactly, without a bigint per value. */
import { TableError } from '../../base/errors.ts';
import { PointStatus } from '../../points/status.ts';
import { isMissing } from '../missing.ts';
import type { BatchCells } from '../text/batch-cells.ts';
import { isBlank, parseId } from '../text/decimal.ts';
import {
  type ColumnType,
  type ColumnValues,
  type DecimalColumn,
  isPresent,
  type NumberArray,
  type TableField,
} from './column.ts';
import { countValues, decimalText } from './column-numbers.ts';

const { invalidId, notLookedUp } = PointStatus;

/** Returns whether the values of a column may be IDs. */
export const holdsIds = ({ type }: TableField): boolean => HOLDS_IDS.includes(type.kind);

/** Checks that a column can hold IDs. @throws TableError BAD_FORMAT. */
export function checkIdField(field: TableField): void {
  if (!holdsIds(field))
    throw new TableError('BAD_FORMAT', `column ${field.name} holds ${field.typeName}, which is not an ID`);
}

const HOLDS_IDS: readonly ColumnType['kind'][] = ['number', 'decimal', 'text'];

/** Says why a value of a column is not an ID. */
export const whyNotId = ({ type }: TableField): string =>
  type.kind === 'number' && !type.isInteger
    ? 'a float, which may have lost digits of an ID'
    : 'not a uint64 ID';

/**
 * Reads the IDs of a part into the cells of its batch.
 *
 * @param k The column of IDs.
 * @param row The index of the first row of the part in the batch.
 */
export function readColumnIds(
  column: ColumnValues,
  rows: number,
  cells: BatchCells,
  k: number,
  row: number,
): void {
  const at = k * cells.rows + row;
  readIds(
    column,
    rows,
    cells.words.subarray(2 * at, 2 * (at + rows)),
    cells.idStatus.subarray(at, at + rows),
  );
}

/**
 * Reads `count` IDs as pairs of words, low word first. An ID that is missing or invalid is 0.
 *
 * @param status Receives 0, `notLookedUp` or `invalidId`; holds 0 before.
 */
export function readIds(column: ColumnValues, count: number, words: Uint32Array, status: Uint8Array): void {
  readValues(column, count, words, status);
  const { validity } = column;
  if (!validity) return;
  for (let i = 0; i < count; i++) {
    if (isPresent(validity, i)) continue;
    words[2 * i] = words[2 * i + 1] = 0;
    status[i] = notLookedUp;
  }
}

function readValues(column: ColumnValues, count: number, words: Uint32Array, status: Uint8Array): void {
  switch (column.kind) {
    case 'number':
      return readNumberIds(column.values, count, words, status);
    case 'decimal':
      return readDecimalIds(column, count, words, status);
    case 'text': {
      const { validity } = column;
      for (let i = 0; i < count; i++)
        if (!validity || isPresent(validity, i)) status[i] = readTextId(column.textAt(i), words, 2 * i);
      return;
    }
    case 'dictionary': {
      const { values, indices, validity } = column,
        size = countValues(values),
        known = new Uint32Array(2 * size),
        knownStatus = new Uint8Array(size);
      readIds(values, size, known, knownStatus);
      for (let i = 0; i < count; i++) {
        if (validity && !isPresent(validity, i)) continue;
        const index = indices[i];
        words[2 * i] = known[2 * index];
        words[2 * i + 1] = known[2 * index + 1];
        status[i] = knownStatus[index];
      }
      return;
    }
    default:
      throw new TypeError(`a column of kind ${column.kind} does not hold IDs`);
  }
}

function readNumberIds(values: NumberArray, count: number, words: Uint32Array, status: Uint8Array): void {
  if (values instanceof BigUint64Array || values instanceof BigInt64Array) {
    words.set(new Uint32Array(values.buffer, values.byteOffset, 2 * count));
    if (values instanceof BigUint64Array) return;
    for (let i = 0; i < count; i++) if (words[2 * i + 1] >>> 31 !== 0) refuse(words, status, i);
  } else if (values instanceof Float64Array || values instanceof Float32Array) {
    for (let i = 0; i < count; i++) status[i] = Number.isNaN(values[i]) ? notLookedUp : invalidId;
  } else
    for (let i = 0; i < count; i++) {
      if (values[i] < 0) refuse(words, status, i);
      else words[2 * i] = values[i];
    }
}

function readDecimalIds(column: DecimalColumn, count: number, words: Uint32Array, status: Uint8Array): void {
  const { words: from, width, scale, validity } = column;
  for (let i = 0; i < count; i++) {
    if (validity && !isPresent(validity, i)) continue;
    if (scale === 0) {
      words[2 * i] = from[i * width];
      words[2 * i + 1] = width > 1 ? from[i * width + 1] : 0;
      let above = width > 2 ? 0 : from[i * width + width - 1] >>> 31;
      for (let k = 2; k < width; k++) above |= from[i * width + k];
      if (above !== 0) refuse(words, status, i);
    } else if (readTextId(decimalText(column, i).replace(/\.0*$/, ''), words, 2 * i) !== 0)
      refuse(words, status, i);
  }
}

function refuse(words: Uint32Array, status: Uint8Array, i: number): void {
  words[2 * i] = words[2 * i + 1] = 0;
  status[i] = invalidId;
}

function readTextId(text: string, words: Uint32Array, at: number): number {
  const bytes = Buffer.from(text);
  if (parseId(bytes, 0, bytes.length, words, at)) return isBlank(bytes, 0, bytes.length) ? notLookedUp : 0;
  words[at] = words[at + 1] = 0;
  return isMissing(text) ? notLookedUp : invalidId;
}
