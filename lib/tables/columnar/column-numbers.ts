/** Reads columns of numbers as doubles, with a mark for each value that is missing or not a finite number. */
import { isMissing } from '../missing.ts';
import { parseDecimal } from '../text/decimal.ts';
import {
  areAllPresent,
  type ColumnValues,
  type DecimalColumn,
  isPresent,
  type NumberArray,
} from './column.ts';

/** The marks of values that cannot be read. */
export const MISSING_MARK = 1,
  INVALID_MARK = 2;

const WORD = 2 ** 32;

/** Where numbers go: value i to `out[at + i * stride]`, its mark to `marks[i]`. */
export interface NumberTarget {
  out: Float64Array;
  at: number;
  stride: number;
  /** Holds 0 before. */
  marks: Uint8Array;
}

/**
 * Reads `count` values. A value with a mark is NaN.
 *
 * @returns Whether any value has a mark.
 */
export function readNumbers(column: ColumnValues, count: number, target: NumberTarget): boolean {
  const hasMarks = readValues(column, count, target),
    { validity } = column;
  if (!validity || areAllPresent(validity, count)) return hasMarks;
  const { out, at, stride, marks } = target;
  let hasNulls = false;
  for (let i = 0; i < count; i++) {
    if (isPresent(validity, i)) continue;
    // What lies below a null may be anything.
    out[at + i * stride] = NaN;
    marks[i] = MISSING_MARK;
    hasNulls = true;
  }
  return hasMarks || hasNulls;
}

function readValues(column: ColumnValues, count: number, target: NumberTarget): boolean {
  switch (column.kind) {
    case 'number':
      return readNumberArray(column.values, count, target);
    case 'decimal': {
      const { out, at, stride } = target;
      for (let i = 0; i < count; i++) out[at + i * stride] = decimalNumber(column, i);
      return false;
    }
    case 'text':
      return readTextNumbers(column, count, target);
    case 'dictionary': {
      const { out, at, stride, marks } = target,
        { indices, validity, values } = column,
        size = countValues(values),
        known = { out: new Float64Array(size), at: 0, stride: 1, marks: new Uint8Array(size) };
      const hasMarks = readNumbers(values, size, known);
      for (let i = 0; i < count; i++) {
        if (validity && !isPresent(validity, i)) continue;
        out[at + i * stride] = known.out[indices[i]];
        marks[i] = known.marks[indices[i]];
      }
      return hasMarks;
    }
    default:
      throw new TypeError(`a column of kind ${column.kind} does not hold numbers`);
  }
}

function readNumberArray(values: NumberArray, count: number, target: NumberTarget): boolean {
  if (values instanceof BigInt64Array) readInt64(values, count, target);
  else if (values instanceof BigUint64Array) readUint64(values, count, target);
  else if (values instanceof Int32Array) readInt32(values, count, target);
  else if (values instanceof Float64Array) return readFloat64(values, count, target);
  else {
    const { out, at, stride } = target;
    for (let i = 0; i < count; i++) out[at + i * stride] = values[i];
    if (values instanceof Float32Array) return markNotFinite(count, target);
  }
  return false;
}

// One function for each common type: V8 makes each faster than one loop for all types. A sum of two words is rounded once, as
// the number itself would be.

function readInt64(values: BigInt64Array, count: number, { out, at, stride }: NumberTarget): void {
  const low = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length),
    high = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0, to = at; i < count; i++, to += stride) out[to] = high[2 * i + 1] * WORD + low[2 * i];
}

function readUint64(values: BigUint64Array, count: number, { out, at, stride }: NumberTarget): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 0, to = at; i < count; i++, to += stride) out[to] = words[2 * i + 1] * WORD + words[2 * i];
}

function readInt32(values: Int32Array, count: number, { out, at, stride }: NumberTarget): void {
  for (let i = 0, to = at; i < count; i++, to += stride) out[to] = values[i];
}

function readFloat64(values: Float64Array, count: number, target: NumberTarget): boolean {
  const { out, at, stride } = target;
  for (let i = 0, to = at; i < count; i++, to += stride) out[to] = values[i];
  return markNotFinite(count, target);
}

function markNotFinite(count: number, { out, at, stride, marks }: NumberTarget): boolean {
  let hasMarks = false;
  for (let i = 0, to = at; i < count; i++, to += stride) {
    const value = out[to];
    if (value - value === 0) continue; // finite
    marks[i] = Number.isNaN(value) ? MISSING_MARK : INVALID_MARK;
    out[to] = NaN;
    hasMarks = true;
  }
  return hasMarks;
}

function readTextNumbers(
  column: Extract<ColumnValues, { kind: 'text' }>,
  count: number,
  { out, at, stride, marks }: NumberTarget,
): boolean {
  const { validity } = column;
  let hasMarks = false;
  for (let i = 0; i < count; i++) {
    if (validity && !isPresent(validity, i)) continue;
    const text = column.textAt(i),
      bytes = Buffer.from(text),
      number = parseDecimal(bytes, 0, bytes.length);
    out[at + i * stride] = number;
    if (!Number.isNaN(number)) continue;
    marks[i] = isMissing(text) ? MISSING_MARK : INVALID_MARK;
    hasMarks = true;
  }
  return hasMarks;
}

/** Returns the nearest double to a decimal. */
export function decimalNumber(column: DecimalColumn, i: number): number {
  const { words, width, scale } = column,
    top = words[i * width + width - 1];
  const low = words[i * width];
  const isExact = scale >= 0 && scale <= 22;
  // Both numbers are exact, so that the division rounds once.
  if (width === 1 && isExact) return (low | 0) / 10 ** scale;
  if (width > 1 && isExact && top >>> 31 === 0) {
    let isSmall = words[i * width + 1] < 2 ** 21;
    for (let k = 2; k < width; k++) isSmall &&= words[i * width + k] === 0;
    if (isSmall) return (words[i * width + 1] * WORD + low) / 10 ** scale;
  }
  return Number(decimalText(column, i));
}

/** Returns a decimal as text, exactly: `-12.50`. */
export function decimalText({ words, width, scale }: DecimalColumn, i: number): string {
  let integer = 0n;
  for (let k = width - 1; k >= 0; k--) integer = (integer << 32n) | BigInt(words[i * width + k]);
  integer = BigInt.asIntN(32 * width, integer);
  const digits = String(integer < 0n ? -integer : integer).padStart(scale + 1, '0'),
    sign = integer < 0n ? '-' : '';
  return scale <= 0
    ? `${sign}${digits}${integer === 0n ? '' : '0'.repeat(-scale)}`
    : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Returns the number of values of the dictionary of a column: the length of its array. */
export function countValues(column: ColumnValues): number {
  switch (column.kind) {
    case 'number':
      return column.values.length;
    case 'decimal':
      return Math.floor(column.words.length / column.width);
    case 'text':
      return column.length;
    case 'dictionary':
      return column.indices.length;
    case 'list':
      return column.starts.length;
    case 'fixed-list':
      return Math.floor(countValues(column.values) / column.size);
    case 'struct':
      return column.fields.length === 0 ? 0 : countValues(column.fields[0].values);
  }
}

/** Returns a value as text, as a text table would hold it. It must be present. */
export function valueText(column: ColumnValues, i: number): string {
  const item = (values: ColumnValues, k: number): string =>
    values.validity && !isPresent(values.validity, k) ? 'null' : valueText(values, k);
  const list = (values: ColumnValues, start: number, length: number): string =>
    `[${Array.from({ length }, (_, k) => item(values, start + k)).join(', ')}]`;
  switch (column.kind) {
    case 'number':
      return String(column.values[i]);
    case 'decimal':
      return decimalText(column, i);
    case 'text':
      return column.textAt(i);
    case 'dictionary':
      return item(column.values, column.indices[i]);
    case 'list':
      return list(column.values, column.starts[i], column.lengths[i]);
    case 'fixed-list':
      return list(column.values, i * column.size, column.size);
    case 'struct':
      return `{${column.fields.map(({ name, values }) => `${name}: ${item(values, i)}`).join(', ')}}`;
  }
}
