/** A source that reports each chunk to an observer. */
import type { ChunkEvent, Observer } from '../base/volume-events.ts';
import type { ChunkSource, ReadContext, ReadTask } from './chunk-source.ts';
import { mapPlanned } from './planned.ts';

/** Wraps a source so that it reports each chunk once: read, missing or failed. */
export function observedSource(source: ChunkSource, observe: Observer): ChunkSource {
  const report = (cell: number, startedAt: number, what: Omit<ChunkEvent, 'type' | 'url' | 'ms'>): void =>
    observe({ type: 'chunk', url: source.urlOf(cell), ...what, ms: performance.now() - startedAt });

  /** @param left Cells of the task that are not reported yet. */
  const reportingContext = (
    context: ReadContext,
    unreported: Set<number>,
    startedAt: number,
  ): ReadContext => {
    const reportOnce = (cell: number, what: Omit<ChunkEvent, 'type' | 'url' | 'ms'>): void => {
      if (unreported.delete(cell)) report(cell, startedAt, what);
    };
    const { deliver, deliverParts, fail } = context;
    return {
      ...context,
      signal: context.signal,
      deliverNow: undefined,
      deliver(cell, chunk, from = 'store') {
        const bytes = chunk?.storedBytes ?? chunk?.bytes.byteLength ?? 0;
        reportOnce(cell, { from, outcome: chunk ? 'read' : 'missing', bytes });
        return deliver(cell, chunk, from);
      },
      fail(cell, error) {
        reportOnce(cell, { from: 'store', outcome: 'failed', bytes: 0, error });
        fail(cell, error);
      },
      deliverParts(cell, parts) {
        const bytes = parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
        reportOnce(cell, { from: 'store', outcome: 'read', bytes });
        deliverParts(cell, parts);
      },
    };
  };

  const observed = (task: ReadTask, since?: number): ReadTask => ({
    cells: task.cells,
    async run(context) {
      const startedAt = since ?? performance.now(),
        unreported = new Set(task.cells);
      try {
        const further = await task.run(reportingContext(context, unreported, startedAt));
        return further && mapPlanned(further, (next) => observed(next, startedAt));
      } catch (error) {
        if (!context.signal.aborted)
          for (const cell of unreported)
            report(cell, startedAt, { from: 'store', outcome: 'failed', bytes: 0, error });
        throw error;
      }
    },
  });

  return {
    id: source.id,
    urlOf: (cell) => source.urlOf(cell),
    get isReadHere() {
      return source.isReadHere;
    },
    contentOf: source.contentOf && ((cell) => source.contentOf!(cell)),
    plan: (cells) => mapPlanned(source.plan(cells), (task) => observed(task)),
    save: source.save && ((...chunk) => source.save!(...chunk)),
    saveOrderOf: source.saveOrderOf && ((...chunk) => source.saveOrderOf!(...chunk)),
    noteSaved: source.noteSaved && ((...chunk) => source.noteSaved!(...chunk)),
    savedFormOf: source.savedFormOf && ((...chunk) => source.savedFormOf!(...chunk)),
    reencoderOf: source.reencoderOf && ((cell) => source.reencoderOf!(cell)),
  };
}
