/**
 * The types of Arrow columns: their parameters, the buffers that they take, and what they can be used as.
 * Source: Arrow, format/Schema.fbs and "Arrow Columnar Format", section "Physical Memory Layout".
 */
import type { ColumnType, IdType } from '../columnar/column.ts';
import { brokenArrow, type FlatTable } from './flat-table.ts';

/** The names of the types, by their number in the union `Type`. */
const NAMES = [
  'none',
  'null',
  'int',
  'float',
  'binary',
  'string',
  'bool',
  'decimal',
  'date',
  'time',
  'timestamp',
  'interval',
  'list',
  'struct',
  'union',
  'fixed_size_binary',
  'fixed_size_list',
  'map',
  'duration',
  'large_binary',
  'large_string',
  'large_list',
  'run_end_encoded',
  'binary_view',
  'string_view',
  'list_view',
  'large_list_view',
] as const;
type ArrowTypeName = (typeof NAMES)[number];

/** A type and its parameters. */
export interface ArrowType {
  name: ArrowTypeName;
  /** The bits of integers, floats, decimals and dates. */
  bits: number;
  isSigned: boolean;
  /** The digits after the point of a decimal; the items of a list of fixed size; the bytes of a binary. */
  size: number;
  /** The unit of a timestamp or a time as a power of ten per second: 0, 3, 6 or 9. */
  unit: number;
  /** Whether a union stores one child value per row. */
  isSparse: boolean;
}

/** A column, or a part of a column of a nested type. */
export interface ArrowField {
  name: string;
  /** The type of the values; of the values of the dictionary, if there is one. */
  type: ArrowType;
  children: readonly ArrowField[];
  dictionary?: { id: bigint; index: ArrowType };
  /** Where the table of the field is in the schema. */
  position: number;
}

const FLOAT_BITS = [16, 32, 64],
  UNITS = [0, 3, 6, 9];

/** Reads a type. @param table Its table, absent for types without parameters. */
export function readArrowType(number: number, table: FlatTable | undefined): ArrowType {
  const name = NAMES[number];
  if (name === undefined || name === 'none')
    throw brokenArrow(`it has a column of a type that is not known (number ${number})`);
  const type: ArrowType = { name, bits: 0, isSigned: false, size: 0, unit: 0, isSparse: true };
  if (name === 'int') {
    type.bits = table?.int(0) ?? 0;
    type.isSigned = (table?.byte(1) ?? 0) !== 0;
    // polars writes integers of 128 bits, which are in no version of the format.
    if (![8, 16, 32, 64, 128].includes(type.bits)) throw brokenArrow(`it has integers of ${type.bits} bits`);
  } else if (name === 'float') type.bits = FLOAT_BITS[table?.short(0) ?? 0] ?? 0;
  else if (name === 'decimal') {
    type.bits = table?.int(2, 128) ?? 128;
    type.size = table?.int(1) ?? 0;
    if (![32, 64, 128, 256].includes(type.bits)) throw brokenArrow(`it has decimals of ${type.bits} bits`);
  } else if (name === 'date') type.bits = (table?.short(0, 1) ?? 1) === 0 ? 32 : 64;
  else if (name === 'timestamp') type.unit = UNITS[table?.short(0) ?? 0] ?? 0;
  // The default of a time is milliseconds.
  else if (name === 'time') type.unit = UNITS[table?.short(0, 1) ?? 1] ?? 0;
  else if (name === 'fixed_size_list' || name === 'fixed_size_binary') {
    type.size = table?.int(0) ?? 0;
    if (type.size < 0) throw brokenArrow('it has lists or binaries of a negative size');
  } else if (name === 'union') type.isSparse = (table?.short(0) ?? 0) === 0;
  return type;
}

/** The number of children of each type that has a fixed number. */
const CHILDREN: Partial<Record<ArrowTypeName, number>> = {
  list: 1,
  large_list: 1,
  list_view: 1,
  large_list_view: 1,
  fixed_size_list: 1,
  map: 1,
  run_end_encoded: 2,
};

/** Checks that a type has the children that it needs. */
export function checkChildren({ name }: ArrowType, children: number): void {
  const expected = CHILDREN[name] ?? (name === 'struct' || name === 'union' ? children : 0);
  if (children !== expected) throw brokenArrow(`a column of type ${name} has ${children} children`);
}

/**
 * Returns the number of buffers that a column has, without those of its children and without the data of
 * views.
 *
 * @param isVersion4 Whether the metadata has version 4, in which unions and runs have a validity.
 */
export function bufferCount({ name, isSparse }: ArrowType, isVersion4: boolean): number {
  switch (name) {
    case 'null':
      return 0;
    case 'run_end_encoded':
      return isVersion4 ? 1 : 0;
    case 'struct':
    case 'fixed_size_list':
      return 1;
    case 'union':
      return (isSparse ? 1 : 2) + (isVersion4 ? 1 : 0);
    case 'binary':
    case 'string':
    case 'large_binary':
    case 'large_string':
    case 'list_view':
    case 'large_list_view':
      return 3;
    default:
      return 2;
  }
}

/** Returns whether a type has a number of data buffers that each record batch tells. */
export const hasVariadicBuffers = ({ name }: ArrowType): boolean =>
  name === 'string_view' || name === 'binary_view';

/** Returns what a column can be used as. */
export function columnTypeOf({ type, children }: ArrowField): ColumnType {
  switch (type.name) {
    case 'int':
      return type.bits === 128 ? { kind: 'other' } : { kind: 'number', isInteger: true };
    case 'float':
      return { kind: 'number', isInteger: false };
    case 'decimal':
      return { kind: 'decimal', scale: type.size };
    case 'null':
    case 'string':
    case 'large_string':
    case 'string_view':
    case 'bool':
    case 'timestamp':
    case 'date':
      return { kind: 'text' };
    case 'list':
    case 'large_list':
    case 'list_view':
    case 'large_list_view':
      return listOf(children[0]);
    case 'fixed_size_list':
      return type.size === 0 ? { kind: 'other' } : listOf(children[0]);
    case 'struct':
      return {
        kind: 'struct',
        fields: children.filter(isRead).map((child) => ({ name: child.name, type: columnTypeOf(child) })),
      };
    default:
      return { kind: 'other' };
  }
}

function listOf(item: ArrowField): ColumnType {
  const type = columnTypeOf(item);
  return type.kind === 'other' ? type : { kind: 'list', item: type };
}

/** Returns whether values of a field can be read. Parts of a struct that cannot be read are left out. */
export const isRead = (field: ArrowField): boolean => columnTypeOf(field).kind !== 'other';

/** Returns the type of IDs that a column holds, if its type is one of them. */
export function idTypeOf({ type, dictionary }: ArrowField): IdType | undefined {
  if (dictionary) return undefined;
  if (type.name === 'int' && type.bits === 64) return type.isSigned ? 'int64' : 'uint64';
  return ['string', 'large_string', 'string_view'].includes(type.name) ? 'string' : undefined;
}

/** Spells a type as pyarrow does. */
export function spellArrowType({ type, children, dictionary }: ArrowField): string {
  const own = spellValues(type, children);
  return dictionary ? `dictionary<values=${own}, indices=${spellValues(dictionary.index, [])}>` : own;
}

function spellValues(
  { name, bits, isSigned, size, unit }: ArrowType,
  children: readonly ArrowField[],
): string {
  switch (name) {
    case 'int':
      return `${isSigned ? '' : 'u'}int${bits}`;
    case 'float':
      return bits === 16 ? 'halffloat' : bits === 32 ? 'float' : 'double';
    case 'decimal':
      return `decimal${bits} with ${size} decimals`;
    case 'date':
      return `date${bits}`;
    case 'timestamp':
      return `timestamp[${['s', 'ms', 'us', 'ns'][unit / 3]}]`;
    case 'time':
      return `time${unit > 3 ? 64 : 32}[${['s', 'ms', 'us', 'ns'][unit / 3]}]`;
    case 'fixed_size_binary':
      return `fixed_size_binary[${size}]`;
    case 'fixed_size_list':
      return `${name}<${spellArrowType(children[0])}>[${size}]`;
    default:
      return children.length === 0
        ? name
        : `${name}<${children.map((child) => `${child.name}: ${spellArrowType(child)}`).join(', ')}>`;
  }
}
