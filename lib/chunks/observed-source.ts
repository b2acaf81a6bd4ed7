/** The same source, whose chunks are told to an observer as they come. */
import type { ChunkEvent, Observer } from '../base/volume-events.ts';
import type { ChunkSource, ReadContext, ReadTask } from './chunk-source.ts';
import { mapPlanned } from './planned.ts';

export function observedSource(source: ChunkSource, observe: Observer): ChunkSource {
  const tell = (cell: number, began: number, what: Omit<ChunkEvent, 'type' | 'url' | 'ms'>): void =>
    observe({ type: 'chunk', url: source.urlOf(cell), ...what, ms: performance.now() - began });

  /** @param left Cells of the task that nothing was told of yet. */
  const telling = (context: ReadContext, left: Set<number>, began: number): ReadContext => {
    const told = (cell: number, what: Omit<ChunkEvent, 'type' | 'url' | 'ms'>): void => {
      if (left.delete(cell)) tell(cell, began, what);
    };
    const { deliver, deliverParts, fail } = context;
    return {
      ...context,
      deliver(cell, chunk, from = 'store') {
        told(cell, { from, outcome: chunk ? 'read' : 'missing', bytes: chunk?.bytes.byteLength ?? 0 });
        return deliver(cell, chunk, from);
      },
      fail(cell, error) {
        told(cell, { from: 'store', outcome: 'failed', bytes: 0, error });
        fail(cell, error);
      },
      deliverParts(cell, parts) {
        const bytes = parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
        told(cell, { from: 'store', outcome: 'read', bytes });
        deliverParts(cell, parts);
      },
    };
  };

  const observed = (task: ReadTask, since?: number): ReadTask => ({
    cells: task.cells,
    async run(context) {
      const began = since ?? performance.now(),
        left = new Set(task.cells);
      try {
        const further = await task.run(telling(context, left, began));
        return further && mapPlanned(further, (next) => observed(next, began));
      } catch (error) {
        if (!context.signal.aborted)
          for (const cell of left) tell(cell, began, { from: 'store', outcome: 'failed', bytes: 0, error });
        throw error;
      }
    },
  });

  return {
    id: source.id,
    urlOf: (cell) => source.urlOf(cell),
    plan: (cells) => mapPlanned(source.plan(cells), (task) => observed(task)),
    save: source.save && ((cell, bytes, validator) => source.save!(cell, bytes, validator)),
    reencoderOf: source.reencoderOf && ((cell) => source.reencoderOf!(cell)),
  };
}
