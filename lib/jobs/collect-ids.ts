/** Collects the IDs of one column of a table, for jobs whose output is not the same table. */
import type { TableInput } from '../tables/files/table-input.ts';
import { openTable, type TableOptions } from '../tables/open-table.ts';
import { findIdColumn } from './columns.ts';
import { hasInvalidId } from './id-table.ts';
import { RowWarnings } from './row-warnings.ts';

/** Options of `collectIds`. */
export interface CollectIdsOptions extends Pick<TableOptions, 'format' | 'text' | 'signal'> {
  /** The name of the column, or the end of its name: `root_id`. */
  kind: string;
  /** The name of the column. @default the column that `findIdColumn` finds */
  column?: string;
  warn?: (message: string) => void;
}

/** Small enough to keep the texts of the cells in memory together with their IDs. */
const BATCH_ROWS = 100_000;

/**
 * Collects each distinct ID once, in the order met. Zeros and empty cells are left out.
 *
 * @returns The IDs, and the number of rows with any other cell. Words for a missing ID, such as `nan`,
 *   count among those rows, because the output does not show them.
 * @throws TableError.
 */
export async function collectIds(
  source: AsyncIterable<Uint8Array> | TableInput,
  { kind, column, warn, ...options }: CollectIdsOptions,
): Promise<{ ids: bigint[]; invalid: number }> {
  let name = column ?? kind,
    rows = 0,
    invalid = 0;
  const table = openTable(
    source,
    (found) => {
      ({ name } = findIdColumn(found, kind, column));
      return { ids: [name], texts: [name], outputs: [], replace: false };
    },
    { ...options, listName: name, batchRows: BATCH_ROWS },
  );
  const ids = new Set<bigint>(),
    rowWarnings = new RowWarnings('a valid ID', { warn });
  try {
    for await (const batch of table.batches()) {
      const [{ spellings, indices }] = batch.texts;
      rowWarnings.report(batch, (row) => {
        if (batch.ids[row] !== 0n) ids.add(batch.ids[row]);
        if (batch.idStatus[row] === 0) return undefined;
        const isInvalid = hasInvalidId(batch, row),
          word = spellings[indices[row]];
        if (!isInvalid && word === '') return undefined;
        invalid++;
        return isInvalid
          ? { reason: () => batch.describeInvalid(row), status: 'invalid_id' }
          : { reason: () => `column ${name}: ${JSON.stringify(word)} is not an ID`, status: 'left out' };
      });
      rows += batch.rows;
    }
  } finally {
    await table.close?.();
  }
  if (rows === 0 && !table.hasHeader) warn?.('the table is empty');
  rowWarnings.summarize();
  return { ids: [...ids], invalid };
}
