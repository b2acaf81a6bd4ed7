/** Reads the first two batches of a table ahead, to see whether it has more than one. */
import { leaveOnAbort } from '../base/abort.ts';
import type { Batch, TableSource } from '../tables/table.ts';

/** A table whose first batches have been read. */
export interface PeekedSource<B extends Batch> {
  /** Yields all batches, with those that were read ahead. An error of the reading comes after them. */
  source: TableSource<B>;
  /** Whether the table has more than one batch. */
  isLarge: boolean;
  /** The number of rows that were read ahead. */
  rows: number;
}

/**
 * Reads ahead. After an error, the source is closed.
 * @param onFirst Receives the first batch at once: the second one may be long in coming.
 * @throws signal.reason; what `onFirst` throws.
 */
export async function peekSource<B extends Batch>(
  table: TableSource<B>,
  onFirst: (batch: B) => void,
  signal: AbortSignal | undefined,
): Promise<PeekedSource<B>> {
  const batches = table.batches()[Symbol.asyncIterator](),
    ahead: Promise<IteratorResult<B>>[] = [];
  /** Returns the next batch, if there is one. Its error comes again, after the batches before it. */
  const peek = async (): Promise<B | undefined> => {
    const reading = batches.next();
    ahead.push(reading);
    try {
      const next = await leaveOnAbort(reading, signal, () => {});
      return next.done ? undefined : next.value;
    } catch {
      signal?.throwIfAborted();
      return undefined;
    }
  };
  try {
    const first = await peek();
    if (first) onFirst(first);
    const second = first && (await peek());
    return {
      source: {
        hasHeader: table.hasHeader,
        rowName: table.rowName,
        batches: () => replay(ahead, batches),
        close: async () => table.close?.(),
      },
      isLarge: second !== undefined,
      rows: (first?.rows ?? 0) + (second?.rows ?? 0),
    };
  } catch (error) {
    await table.close?.();
    throw error;
  }
}

async function* replay<B>(ahead: Promise<IteratorResult<B>>[], source: AsyncIterator<B>): AsyncGenerator<B> {
  try {
    for (;;) {
      const next = await (ahead.shift() ?? source.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}
