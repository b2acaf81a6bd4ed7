/**
 * Writes values of Arrow columns as the cells of text tables: numbers with all their digits, texts as they
 * are, times in ISO 8601, binary values in hexadecimal digits, and nested values as JSON.
 */
import { TableError } from '../../base/errors.ts';
import { decodeArrowColumn, type DictionaryOf } from '../arrow/arrow-columns.ts';
import { type ArrowField, isRead, spellArrowType } from '../arrow/arrow-types.ts';
import { brokenArrow, FlatTable } from '../arrow/flat-table.ts';
import type { ColumnNode, RecordBatch } from '../arrow/record-batch.ts';
import { type ColumnValues, isPresent, type NumberArray, type Validity } from '../columnar/column.ts';
import { decimalText } from '../columnar/column-numbers.ts';
import { binaryTextAt, durationText, timeText, timestampIso } from './iso-texts.ts';

/** The values of a column as text. */
export interface CellTexts {
  /** Returns whether value i is null. */
  isNull(i: number): boolean;
  /** Returns the text of value i, which is not null. */
  textAt(i: number): string;
  /** Returns the JSON of value i, which is not null. @default its text as a JSON string */
  jsonAt?: (i: number) => string;
  /** Whether the text is JSON, or a number or a boolean that needs no quotes. */
  isBare?: boolean;
}

/** Checks that values of a column can be written as text. @throws TableError BAD_FORMAT. */
export function requireTexts(field: ArrowField, column = field.name): void {
  const { type, children } = field;
  const isKnown = NESTED.has(type.name) || MORE.has(type.name) || isRead({ ...field, children: [] });
  if (!isKnown)
    throw new TableError(
      'BAD_FORMAT',
      `column ${column} holds ${spellArrowType(field)}, which text cannot hold: write a .arrow or .parquet file`,
    );
  for (const child of children) requireTexts(child, column);
}

const NESTED = new Set([
  'list',
  'large_list',
  'list_view',
  'large_list_view',
  'fixed_size_list',
  'struct',
  'map',
]);
/** Types that columns of inputs never have. */
const MORE = new Set(['binary', 'large_binary', 'binary_view', 'fixed_size_binary', 'time', 'duration']);

const nullTest =
  (validity: Validity | undefined): CellTexts['isNull'] =>
  (i) =>
    validity !== undefined && !isPresent(validity, i);

/** Prepares the cells of a column. @param schema The bytes of the schema. */
export async function cellTextsOf(
  batch: RecordBatch,
  node: ColumnNode,
  dictionaryOf: DictionaryOf,
  schema: Uint8Array,
): Promise<CellTexts> {
  const { field, length, children } = node,
    { type } = field;
  if (field.dictionary) {
    const column = await decodeArrowColumn(batch, node, dictionaryOf);
    return ofValues(column, field, schema);
  }
  const child = (k: number): Promise<CellTexts> => cellTextsOf(batch, children[k], dictionaryOf, schema);
  if (NESTED.has(type.name)) {
    const isNull = nullTest(await validityOf(batch, node));
    if (type.name === 'struct') {
      const parts = await Promise.all(children.map((_, k) => child(k)));
      const keys = children.map((part) => JSON.stringify(part.field.name));
      return nested(
        isNull,
        (i) => `{${parts.map((part, k) => `${keys[k]}: ${jsonOf(part, i)}`).join(', ')}}`,
      );
    }
    const items = await child(0),
      spans = await spansOf(batch, node);
    return nested(isNull, (i) => {
      const [start, end] = spans(i);
      let text = '';
      for (let k = start; k < end; k++) text += `${k > start ? ', ' : ''}${jsonOf(items, k)}`;
      return `[${text}]`;
    });
  }
  if (!MORE.has(type.name) && type.name !== 'timestamp')
    return ofValues(await decodeArrowColumn(batch, node, dictionaryOf), field, schema);
  const isNull = nullTest(await validityOf(batch, node)),
    buffers = await Promise.all(
      Array.from({ length: node.buffers - 1 }, (_, k) => batch.buffer(node.firstBuffer + 1 + k)),
    );
  if (type.name === 'timestamp') {
    const times = longs(buffers[0], length),
      hasZone = zoneOf(field, schema) !== undefined;
    return { isNull, textAt: (i) => timestampIso(times.getBigInt64(8 * i, true), type.unit, hasZone) };
  }
  if (type.name === 'time' || type.name === 'duration') {
    const unit = unitOf(field, schema),
      isShort = type.name === 'time' && unit <= 3,
      values = longs(buffers[0], isShort ? length / 2 : length);
    const write = type.name === 'time' ? timeText : durationText;
    return {
      isNull,
      textAt: (i) =>
        write(isShort ? BigInt(values.getInt32(4 * i, true)) : values.getBigInt64(8 * i, true), unit),
    };
  }
  return { isNull, textAt: binaryTextAt(type, length, buffers) };
}

const nested = (isNull: CellTexts['isNull'], textAt: (i: number) => string): CellTexts => ({
  isNull,
  textAt,
  jsonAt: textAt,
});

/** Returns the JSON of a value, null included. */
export function jsonOf(cells: CellTexts, i: number): string {
  if (cells.isNull(i)) return 'null';
  return cells.jsonAt ? cells.jsonAt(i) : JSON.stringify(cells.textAt(i));
}

function longs(bytes: Uint8Array, length: number): DataView {
  if (bytes.length < 8 * length) throw brokenArrow('a buffer is shorter than its column');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns where the items of a list begin and end. */
async function spansOf(batch: RecordBatch, node: ColumnNode): Promise<(i: number) => [number, number]> {
  const { type } = node.field;
  // The items are not needed here, and may have a type that columns of inputs never have.
  const plain = { ...node, children: node.children.map((child) => ({ ...child, field: NO_ITEMS })) };
  const isMap = type.name === 'map',
    field = isMap ? { ...node.field, type: { ...type, name: 'list' as const } } : node.field;
  const column = await decodeArrowColumn(batch, { ...plain, field }, NO_DICTIONARY);
  if (column.kind === 'fixed-list') return (i) => [i * column.size, (i + 1) * column.size];
  if (column.kind !== 'list') throw new TypeError('not a list');
  const { starts, lengths } = column;
  return (i) => [starts[i], starts[i] + lengths[i]];
}

const NO_ITEMS = {
  name: '',
  type: { name: 'null', bits: 0, isSigned: false, size: 0, unit: 0, isSparse: true },
  children: [],
  position: 0,
} as const;
const NO_DICTIONARY: DictionaryOf = () => {
  throw new TypeError('no dictionary is needed');
};

async function validityOf(
  batch: RecordBatch,
  { field, length, nullCount, firstBuffer }: ColumnNode,
): Promise<Validity | undefined> {
  if (nullCount === 0 || length === 0) return undefined;
  const bits = await batch.buffer(firstBuffer);
  if (bits.length < Math.ceil(length / 8))
    throw brokenArrow(`column ${field.name} lacks the marks of its nulls`);
  return { bits, offset: 0 };
}

/** Makes the cells of decoded values. */
function ofValues(column: ColumnValues, field: ArrowField, schema: Uint8Array): CellTexts {
  const isNull = nullTest(column.validity);
  switch (column.kind) {
    case 'number':
      return ofNumbers(column.values, field, isNull);
    case 'decimal':
      return { isNull, textAt: (i) => decimalText(column, i) };
    case 'dictionary': {
      const values = ofValues(column.values, { ...field, dictionary: undefined }, schema),
        { indices } = column;
      return {
        isNull: (i) => isNull(i) || values.isNull(indices[i]),
        textAt: (i) => values.textAt(indices[i]),
        jsonAt: values.jsonAt && ((i) => values.jsonAt!(indices[i])),
        isBare: values.isBare,
      };
    }
    case 'text':
      if (field.type.name === 'bool')
        return { isNull, textAt: (i) => column.textAt(i), jsonAt: (i) => column.textAt(i), isBare: true };
      return { isNull, textAt: (i) => column.textAt(i) };
    default:
      throw new TableError(
        'BAD_FORMAT',
        `column ${field.name} has a dictionary of nested values, which text cannot hold`,
      );
  }
}

/** The largest whole number that all readers of JSON keep. */
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function ofNumbers(values: NumberArray, { type }: ArrowField, isNull: CellTexts['isNull']): CellTexts {
  if (type.name === 'float') {
    const isDouble = type.bits === 64;
    const textAt = (i: number): string => floatText(values[i] as number, isDouble);
    return {
      isNull,
      isBare: true,
      textAt: (i) => NOT_FINITE.get(String(values[i])) ?? textAt(i),
      // JSON has no such numbers.
      jsonAt: (i) => (Number.isFinite(values[i]) ? textAt(i) : `"${values[i]}"`),
    };
  }
  const textAt = (i: number): string => String(values[i]);
  if (values instanceof BigUint64Array)
    return { isNull, textAt, isBare: true, jsonAt: (i) => `"${values[i]}"` };
  if (values instanceof BigInt64Array)
    return {
      isNull,
      textAt,
      isBare: true,
      jsonAt: (i) => (values[i] <= MAX_SAFE && values[i] >= -MAX_SAFE ? textAt(i) : `"${values[i]}"`),
    };
  return { isNull, textAt, jsonAt: textAt, isBare: true };
}

/** The numbers that are not finite, as Python and pandas read them. */
const NOT_FINITE = new Map([
  ['NaN', 'NaN'],
  ['Infinity', 'inf'],
  ['-Infinity', '-inf'],
]);

/** Returns the shortest text of a float, with a point, so that readers do not take it for a whole number. */
function floatText(value: number, isDouble: boolean): string {
  let text = Object.is(value, -0) ? '-0' : String(value);
  if (!isDouble && value !== 0)
    for (let digits = 1; digits <= 9; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) !== value) continue;
      text = String(short);
      break;
    }
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const parametersOf = ({ position }: ArrowField, schema: Uint8Array): FlatTable | undefined =>
  new FlatTable(schema, position).table(3);

/** Returns the zone of a timestamp. */
const zoneOf = (field: ArrowField, schema: Uint8Array): string | undefined =>
  parametersOf(field, schema)?.text(1);

/** Returns the unit of times and durations as a power of ten per second. The default is milliseconds. */
const unitOf = (field: ArrowField, schema: Uint8Array): number =>
  3 * (parametersOf(field, schema)?.short(0, 1) ?? 1);
