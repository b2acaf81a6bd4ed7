/**
 * Describes the columns of answers to pandas. Without it, pandas reads integers with a null as floats, which round
 * IDs. Source: pandas, "Storing pandas DataFrame objects in Apache Parquet format" (development/developer).
 */
import type { AnswerField, AnswerType } from '../columnar/column.ts';

interface PandasColumn {
  field_name?: string;
  name?: string | null;
}

interface PandasMetadata {
  columns?: PandasColumn[];
}

/** The metadata of a table without an index of its own. */
const NONE = { index_columns: [], column_indexes: [], columns: [], pandas_version: '1.0.0' };

/** The types that pandas shall use. Its nullable integers and booleans hold missing values exactly. */
function pandasTypes(type: AnswerType): { pandas_type: string; numpy_type: string } {
  if (type === 'string') return { pandas_type: 'unicode', numpy_type: 'object' };
  if (type === 'boolean') return { pandas_type: 'bool', numpy_type: 'boolean' };
  const nullable = type.replace(/^u?int/, (start) => (start === 'int' ? 'Int' : 'UInt'));
  return { pandas_type: type, numpy_type: nullable };
}

/**
 * Returns the value of the key `pandas` with the columns of answers.
 *
 * @param value The old value, if the file has one.
 * @returns The old value if it is not JSON.
 */
export function patchPandasColumns(
  value: Uint8Array | undefined,
  fields: readonly AnswerField[],
): Uint8Array {
  let metadata: PandasMetadata = NONE;
  try {
    if (value) metadata = JSON.parse(Buffer.from(value).toString()) as PandasMetadata;
  } catch {
    return value!;
  }
  if (!Array.isArray(metadata?.columns)) return value!;
  const names = new Set(fields.map(({ name }) => name));
  const columns = [
    ...metadata.columns.filter((column) => !names.has(column?.field_name ?? column?.name ?? '')),
    ...fields.map(({ name, type }) => ({ name, field_name: name, ...pandasTypes(type), metadata: null })),
  ];
  return Buffer.from(JSON.stringify({ ...metadata, columns }));
}
