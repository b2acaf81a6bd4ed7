/** Cuts columns into parts without a copy. */
import type { ColumnValues } from '../columnar/column.ts';

/** Returns `rows` values of a column from value `from` on. They are views. */
export function sliceColumn(column: ColumnValues, from: number, rows: number): ColumnValues {
  const { validity: whole } = column,
    validity = whole && { bits: whole.bits, offset: whole.offset + from },
    end = from + rows;
  switch (column.kind) {
    case 'number':
      return { ...column, validity, values: column.values.subarray(from, end) };
    case 'decimal':
      return { ...column, validity, words: column.words.subarray(from * column.width, end * column.width) };
    case 'text':
      return { ...column, validity, length: rows, textAt: (i) => column.textAt(from + i) };
    case 'dictionary':
      return { ...column, validity, indices: view(column.indices, from, end) };
    case 'list':
      return {
        ...column,
        validity,
        starts: view(column.starts, from, end),
        lengths: view(column.lengths, from, end),
      };
    case 'fixed-list':
      return {
        ...column,
        validity,
        values: sliceColumn(column.values, from * column.size, rows * column.size),
      };
    case 'struct':
      return {
        ...column,
        validity,
        fields: column.fields.map(({ name, values }) => ({ name, values: sliceColumn(values, from, rows) })),
      };
  }
}

const view = (numbers: ArrayLike<number>, from: number, end: number): ArrayLike<number> =>
  ArrayBuffer.isView(numbers)
    ? (numbers as Float64Array).subarray(from, end)
    : Array.prototype.slice.call(numbers, from, end);
