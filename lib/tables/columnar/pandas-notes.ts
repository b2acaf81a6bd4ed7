/**
 * The notes that pandas keeps in the schema of a table.
 * Source: pandas, "Developer", section "Storing pandas DataFrame objects in Apache Parquet format".
 */
import { parse as parseLossless, stringify } from 'lossless-json';
import type { AnswerField, AnswerType } from './column.ts';

/**
 * The nullable types of pandas. Without a note, pandas turns a column of integers with nulls into doubles,
 * which round IDs.
 */
const NULLABLE: Partial<Record<AnswerType, string>> = {
  uint64: 'UInt64',
  int64: 'Int64',
  uint32: 'UInt32',
  int32: 'Int32',
  uint16: 'UInt16',
  int16: 'Int16',
  uint8: 'UInt8',
  int8: 'Int8',
  boolean: 'boolean',
};

interface PandasNotes {
  columns?: unknown;
  [key: string]: unknown;
}

interface NotedColumn {
  name?: unknown;
  field_name?: unknown;
}

/** An index may lack a name, but not the name of its field. */
const nameOf = (column: NotedColumn | null): string => String(column?.field_name ?? column?.name);

/**
 * Returns the notes with columns of answers.
 *
 * @param notes The JSON of the input; undefined if pandas did not write it. Notes that are not JSON are
 *   replaced.
 */
export function withPandasColumns(notes: string | undefined, answers: readonly AnswerField[]): string {
  const old = parse(notes),
    names = new Set(answers.map(({ name }) => name)),
    columns = (Array.isArray(old.columns) ? (old.columns as unknown[]) : []).filter(
      (column) => !names.has(nameOf(column as NotedColumn | null)),
    );
  for (const { name, type } of answers) {
    const nullable = NULLABLE[type];
    if (nullable === undefined) continue;
    const pandasType = type === 'boolean' ? 'bool' : type;
    columns.push({ name, field_name: name, pandas_type: pandasType, numpy_type: nullable, metadata: null });
  }
  return stringify({ index_columns: [], column_indexes: [], ...old, columns })!;
}

/** Numbers stay as they are written: notes may hold IDs. */
function parse(notes: string | undefined): PandasNotes {
  try {
    const value = parseLossless(notes ?? '{}');
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as PandasNotes) : {};
  } catch {
    return {};
  }
}
