/** A columnar format in memory: columns in, answers out as plain values. */
import type {
  AnswerField,
  AnswerValues,
  ColumnValues,
  TableField,
  TablePart,
  Validity,
} from '../../../lib/tables/columnar/column.ts';
import type { ColumnarFormat } from '../../../lib/tables/columnar/columnar-table.ts';

/** A column of a table in memory: its field, and its values in each part. */
export interface MemoryColumn {
  field: TableField;
  parts: readonly ColumnValues[];
}

/** The cells that were written, by the names of their columns. */
export type Written = Record<string, unknown[]>;

/** Makes a format, and the place where its output goes. */
export function memoryFormat(
  columns: readonly MemoryColumn[],
  rows: readonly number[],
): { format: ColumnarFormat; written: Written; begun: AnswerField[]; asked: number[][] } {
  const written: Written = {},
    begun: AnswerField[] = [],
    asked: number[][] = [];
  const format: ColumnarFormat = {
    reader: {
      open: async () => columns.map(({ field }) => field),
      async *parts(fields) {
        asked.push([...fields]);
        for (const [k, count] of rows.entries())
          yield { rows: count, columns: fields.map((field) => columns[field].parts[k]) };
      },
      close: async () => {},
    },
    writerTo: () => ({
      async begin(fields) {
        begun.push(...fields);
        for (const { name } of fields) written[name] = [];
      },
      async write(part: TablePart, answers) {
        answers.forEach((values, k) => written[begun[k].name].push(...cells(values, part.rows)));
      },
      finish: async () => {},
    }),
  };
  return { format, written, begun, asked };
}

const cells = ({ values, spellings, valid }: AnswerValues, rows: number): unknown[] =>
  Array.from({ length: rows }, (_, row) =>
    valid?.[row] === 0 ? null : spellings ? spellings[Number(values[row])] : values[row],
  );

/** Makes the validity of values from a text: `110` means that the third is absent. The bits start at bit 3. */
export function validity(present: string): Validity {
  const bits = new Uint8Array(Math.ceil((present.length + 3) / 8));
  [...present].forEach((digit, i) => (bits[(i + 3) >> 3] |= Number(digit) << ((i + 3) & 7)));
  return { bits, offset: 3 };
}

/** Makes a column of text; null is absent. */
export const textColumn = (texts: readonly (string | null)[]): ColumnValues => ({
  kind: 'text',
  length: texts.length,
  textAt(i) {
    const text = texts[i];
    if (text === null) throw new Error('an absent value is read');
    return text;
  },
  validity: validity(texts.map((text) => (text === null ? '0' : '1')).join('')),
});
