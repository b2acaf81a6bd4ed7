/** Reads the schema of an Arrow table. Source: Arrow, format/Schema.fbs. */
import { TableError } from '../../base/errors.ts';
import { type ArrowField, type ArrowType, checkChildren, readArrowType } from './arrow-types.ts';
import { brokenArrow, FlatTable } from './flat-table.ts';

/** The most fields of a schema, children included. Fields may share children, so that few bytes make many. */
const MAX_FIELDS = 100_000;
const MAX_DEPTH = 32;
const INT = 2;

/** The columns of a table and what the schema says about it. */
export interface ArrowSchema {
  fields: readonly ArrowField[];
  /** The table of the schema. */
  table: FlatTable;
  /** The metadata: keys with values, such as the notes of pandas. */
  metadata: readonly { key: string; value: string; position: number }[];
}

/** Reads a schema. @throws TableError BAD_FORMAT. */
export function readArrowSchema(table: FlatTable): ArrowSchema {
  if (table.short(0) !== 0)
    throw new TableError('BAD_FORMAT', 'the Arrow data is big-endian, which is not read');
  let count = 0;
  const readField = (field: FlatTable, depth: number): ArrowField => {
    if (++count > MAX_FIELDS) throw brokenArrow('it has too many columns');
    if (depth > MAX_DEPTH) throw brokenArrow('its types are nested too deeply');
    const children = Array.from(field.tables(5), (child) => readField(child, depth + 1));
    const type = readArrowType(field.byte(2) & 0xff, field.table(3));
    checkChildren(type, children.length);
    const encoding = field.table(4);
    const dictionary = encoding && { id: encoding.long(0), index: readIndexType(encoding.table(1)) };
    return { name: field.text(0) ?? '', type, children, dictionary, position: field.position };
  };
  const fields = Array.from(table.tables(1), (field) => readField(field, 0));
  const metadata = Array.from(table.tables(2), (entry) => ({
    key: entry.text(0) ?? '',
    value: entry.text(1) ?? '',
    position: entry.position,
  }));
  if (metadata.some(({ key }) => key === 'ARROW:experimental_compression'))
    throw new TableError(
      'BAD_FORMAT',
      'the Arrow data has a compression that only Arrow 0.17 wrote: write it again with a newer version',
    );
  return { fields, table, metadata };
}

const readIndexType = (table: FlatTable | undefined): ArrowType =>
  table
    ? readArrowType(INT, table)
    : { name: 'int', bits: 32, isSigned: true, size: 0, unit: 0, isSparse: true };

/** Yields all fields that have a dictionary, children and the values of dictionaries included. */
export function* dictionaryFields(fields: readonly ArrowField[]): Generator<ArrowField> {
  for (const field of fields) {
    if (field.dictionary) yield field;
    yield* dictionaryFields(field.children);
  }
}
