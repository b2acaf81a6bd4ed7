/** The columns of a NumPy array: the fields of records, the columns of a 2-D array, or the array itself. */
import { TableError } from '../../base/errors.ts';
import type { ColumnValues, TableField } from '../columnar/column.ts';
import type { ItemType } from './dtype.ts';
import { columnTypeOfItems, decodeItems, idTypeOfItems, spellItems } from './item-columns.ts';
import type { NpyHeader } from './npy-header.ts';
import { PythonTuple, type PythonValue } from './python-literal.ts';

const AXES = ['x', 'y', 'z'];
const MAX_COLUMNS = 10_000;

/** One column of an array. */
export interface ArrayColumn {
  name: string;
  /** The first byte of its items in a row. */
  offset: number;
  /** The bytes of an item. */
  bytes: number;
  type: ItemType;
  /** The entry of a structured type that describes it. */
  entry: PythonTuple;
}

/**
 * Returns the columns of an array: the fields of records; x, y and z of N×3 numbers; c0, c1, … of other 2-D
 * arrays; one column of a 1-D array. Padding has an empty name.
 *
 * @param name The name of the column of a 1-D array.
 * @throws TableError BAD_FORMAT for an array that is not a table.
 */
export function columnsOfArray({ type, shape }: NpyHeader, name: string): ArrayColumn[] {
  const [rows, width = 1] = shape;
  if (shape.length === 0 || shape.length > 2)
    throw new TableError('BAD_FORMAT', `the NumPy array has ${shape.length} axes; a table has 1 or 2`);
  if (type.fields && shape.length > 1)
    throw new TableError('BAD_FORMAT', 'the NumPy array of records has 2 axes; a table has 1');
  if (type.fields) return [...type.fields];
  if (width > MAX_COLUMNS)
    throw new TableError(
      'BAD_FORMAT',
      `the NumPy array has ${width} columns; at most ${MAX_COLUMNS} are read`,
    );
  if (rows > 0 && (width === 0 || type.bytes === 0))
    throw new TableError('BAD_FORMAT', 'the NumPy array has rows without content');
  const nameOf = (k: number): string => (width === 1 ? name : width === 3 ? AXES[k] : `c${k}`);
  return Array.from({ length: width }, (_, k) => ({
    name: nameOf(k),
    offset: k * type.bytes,
    bytes: type.bytes,
    type: type.item!,
    entry: fieldEntry(nameOf(k), type.item!.spelling),
  }));
}

/** Returns the entry of a field in a structured type. @param label The name, or a title and a name. */
export const fieldEntry = (label: PythonValue, spelling: string): PythonTuple =>
  new PythonTuple([label, spelling]);

/** Describes columns for the table. */
export const toTableField = ({ name, type }: ArrayColumn): TableField => ({
  name,
  type: columnTypeOfItems(type),
  typeName: spellItems(type),
  idType: idTypeOfItems(type),
});

/** Decodes columns from rows. */
export const decodeRows = (
  columns: readonly ArrayColumn[],
  bytes: Uint8Array,
  rowBytes: number,
  rows: number,
): ColumnValues[] =>
  columns.map(({ type, offset }) => decodeItems(type, { bytes, offset, stride: rowBytes }, rows));

/** Returns the characters of a column of texts, so that old texts fit. */
export const charactersOf = ({ type: { kind, size } }: ArrayColumn): number =>
  kind === 'U' ? size / 4 : kind === 'S' ? size : 0;
