/** Reads NumPy arrays as record batches, for outputs in other formats. */
import { TableError } from '../../base/errors.ts';
import type { ArrowInput } from '../arrow/arrow-messages.ts';
import {
  buildBatch,
  type BuiltColumn,
  type BuiltField,
  builtInput,
  type BuiltType,
  viewBytes,
} from '../arrow/built-table.ts';
import { type AnswerType, type ColumnValues, packBits } from '../columnar/column.ts';
import { countValues } from '../columnar/column-numbers.ts';
import type { ArrayColumn } from '../numpy/array-columns.ts';
import type { ItemType } from '../numpy/dtype.ts';
import { decodeItems } from '../numpy/item-columns.ts';
import { LONE_SURROGATE, TextBuilder } from './column-builder.ts';

/** Rows of an array, and the columns of it. */
export interface ItemRows {
  rows: number;
  /** For each column: where its items are. */
  places: readonly { bytes: Uint8Array; stride: number }[];
}

const UNITS = ['s', 'ms', 'us', 'ns'];
/** The time that means that there is none. */
const NOT_A_TIME = -(2n ** 63n);

/**
 * Makes the input of some columns.
 *
 * @param rows Yields their rows. Called once.
 * @throws TableError BAD_FORMAT for a type that other formats cannot hold.
 */
export function itemsAsArrow(
  columns: readonly ArrayColumn[],
  rows: () => AsyncIterable<ItemRows>,
  close: () => Promise<void>,
): ArrowInput {
  const fields = columns.map((column): BuiltField => ({ name: column.name, type: builtTypeOfItems(column) }));
  return builtInput(
    fields,
    async function* () {
      for await (const { rows: count, places } of rows())
        yield buildBatch(
          columns.map(({ type, offset }, k) => buildItems(type, { offset, ...places[k] }, count)),
          count,
        );
    },
    close,
  );
}

function builtTypeOfItems({ name, type }: ArrayColumn): BuiltType {
  const { shape } = type;
  const own = plainType(type);
  if (own === undefined || shape.length > 1 || shape[0] === 0)
    throw new TableError(
      'BAD_FORMAT',
      `column ${name} holds NumPy's ${type.spelling}${shape.length > 0 ? ` of shape (${shape.join(', ')})` : ''}, which only .npy and .npz can hold`,
    );
  return shape.length === 0 ? own : { kind: 'list', item: own, size: shape[0] };
}

function plainType({ kind, size, unit = '' }: ItemType): BuiltType | undefined {
  if (kind === 'i' || kind === 'u') return `${kind === 'u' ? 'u' : ''}int${8 * size}` as AnswerType;
  if (kind === 'f') return size === 8 ? 'float64' : size <= 4 ? 'float32' : undefined;
  if (kind === 'b') return 'boolean';
  if (kind === 'S' || kind === 'U') return 'string';
  const known = UNITS.indexOf(unit);
  if (kind === 'M') return known < 0 ? 'string' : { kind: 'timestamp', unit: known };
  return kind === 'm' && known >= 0 ? { kind: 'duration', unit: known } : undefined;
}

function buildItems(
  type: ItemType,
  places: { bytes: Uint8Array; offset: number; stride: number },
  rows: number,
): BuiltColumn {
  const plain = plainType(type);
  if (type.kind === 'b') return ofBooleans(decodeItems({ ...type, kind: 'u' }, places, rows));
  if (typeof plain === 'object') return ofTimes(decodeItems({ ...type, kind: 'i' }, places, rows));
  return ofValues(decodeItems(type, places, rows));
}

function nestedIn(column: ColumnValues, build: (values: ColumnValues) => BuiltColumn): BuiltColumn {
  if (column.kind !== 'fixed-list') return build(column);
  return { length: countValues(column), buffers: [], children: [build(column.values)] };
}

const ofBooleans = (column: ColumnValues): BuiltColumn =>
  nestedIn(column, (values) => {
    if (values.kind !== 'number') throw new TypeError('not booleans');
    const marks = Uint8Array.from(values.values as Uint8Array, (value) => (value === 0 ? 0 : 1));
    return { length: marks.length, buffers: [packBits(marks)] };
  });

const ofTimes = (column: ColumnValues): BuiltColumn =>
  nestedIn(column, (values) => {
    if (values.kind !== 'number' || !(values.values instanceof BigInt64Array))
      throw new TypeError('not times');
    const times = values.values,
      valid = times.includes(NOT_A_TIME)
        ? Uint8Array.from(times, (time) => (time === NOT_A_TIME ? 0 : 1))
        : undefined;
    return { length: times.length, valid, buffers: [viewBytes(times)] };
  });

const ofValues = (column: ColumnValues): BuiltColumn =>
  nestedIn(column, (values) => {
    if (values.kind === 'number')
      return { length: values.values.length, buffers: [viewBytes(values.values)] };
    if (values.kind !== 'text') throw new TypeError('not items of NumPy');
    const builder = new TextBuilder();
    for (let i = 0; i < values.length; i++) {
      const text = values.textAt(i);
      if (LONE_SURROGATE.test(text) || text.includes('\ufffd'))
        throw new TableError('BAD_FORMAT', 'the NumPy array holds texts that are not UTF-8');
      builder.add(text);
    }
    return builder.take();
  });
