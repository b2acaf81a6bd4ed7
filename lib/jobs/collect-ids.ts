/** The IDs of one column of a table, for questions whose answers are no rows of it. */
import { emptyStats } from './answer-rows.ts';
import { idColumnIn } from './columns.ts';
import { answerIds, type IdQuestion, type IdTableOptions } from './id-table.ts';

export interface CollectOptions extends Pick<IdTableOptions, 'format' | 'text' | 'signal' | 'warn'> {
  /** What the column is called or how its name ends: `root_id`. */
  kind: string;
  /** @default see `idColumnIn` */
  column?: string;
}

/**
 * Each ID once, in the order met, without 0 and empty cells; and how many rows hold anything else. A word for a missing ID (`nan`) counts
 * among them: no answer would tell of its row.
 * @throws TableError.
 */
export async function collectIds(
  source: AsyncIterable<Uint8Array>,
  { kind, column, ...options }: CollectOptions,
): Promise<{ ids: bigint[]; invalid: number }> {
  const found = new Set<bigint>();
  const question: IdQuestion = {
    width: 1,
    listName: column ?? kind,
    columns: (names) => ({ ids: [idColumnIn(names, kind, column).name], outputs: [] }),
    ask: async ({ ids: [ids] }) => {
      for (const id of ids) if (id !== 0n) found.add(id);
      return { columns: [], status: new Uint8Array(ids.length), stats: emptyStats(), errors: () => [] };
    },
  };
  const nowhere = {
    write: async () => undefined,
    finish: async () => undefined,
    abandon: async () => undefined,
  };
  const { statuses } = await answerIds(question, source, nowhere, { ...options, tellMissing: true });
  return { ids: [...found], invalid: statuses.invalid_id ?? 0 };
}
