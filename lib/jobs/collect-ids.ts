/** The IDs of one column of a table, for questions whose answers are no rows of it. */
import { openTable, type TableOptions } from '../tables/open-table.ts';
import { findIdColumn } from './columns.ts';
import { hasInvalidId } from './id-table.ts';
import { RowWarnings } from './row-warnings.ts';

export interface CollectIdsOptions extends Pick<TableOptions, 'format' | 'text' | 'signal'> {
  /** What the column is called or how its name ends: `root_id`. */
  kind: string;
  /** @default see `idColumnIn` */
  column?: string;
  warn?: (message: string) => void;
}

/** Few enough that their texts may be kept beside them. */
const BATCH_ROWS = 100_000;

/**
 * Each ID once, in the order met, without 0 and empty cells; and how many rows hold anything else. A word for a missing ID (`nan`) counts
 * among them: no answer would tell of its row.
 * @throws TableError.
 */
export async function collectIds(
  source: AsyncIterable<Uint8Array>,
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
    refusals = new RowWarnings('a valid ID', { warn });
  for await (const batch of table.batches()) {
    const [{ spellings, indices: places }] = batch.texts;
    refusals.report(batch, (row) => {
      if (batch.ids[row] !== 0n) ids.add(batch.ids[row]);
      if (batch.idStatus[row] === 0) return undefined;
      const mangled = hasInvalidId(batch, row),
        word = spellings[places[row]];
      if (!mangled && word === '') return undefined;
      invalid++;
      return mangled
        ? { reason: () => batch.describeInvalid(row), status: 'invalid_id' }
        : { reason: () => `column ${name}: ${JSON.stringify(word)} is not an ID`, status: 'left out' };
    });
    rows += batch.rows;
  }
  if (rows === 0 && !table.hasHeader) warn?.('the table is empty');
  refusals.summarize();
  return { ids: [...ids], invalid };
}
