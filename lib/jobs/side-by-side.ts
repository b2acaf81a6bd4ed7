/** Looks up a batch of points in several volumes at the same time. */
import type { LookupAnswers, PointBatch, PointLookup } from './point-lookup.ts';

/** Another volume than the main one. Its columns are named after it. */
export interface NamedLookup {
  name: string;
  lookup: PointLookup;
}

/** Looks up a batch in the main volume and in all others. Their answers are in `also`, in the order of `others`. */
export async function lookUpSideBySide(
  main: PointLookup,
  others: readonly NamedLookup[],
  batch: PointBatch,
): Promise<LookupAnswers> {
  if (others.length === 0) return main.lookUp(batch);
  const { onProgress } = batch;
  const progress = Array.from({ length: others.length + 1 }, () => ({ chunksDone: 0, chunks: 0 }));
  const [answers, ...also] = await Promise.all(
    [main, ...others.map(({ lookup }) => lookup)].map((lookup, k) =>
      lookup.lookUp({
        ...batch,
        onProgress:
          onProgress &&
          ((done) => {
            progress[k] = done;
            const sum = (member: 'chunksDone' | 'chunks'): number =>
              progress.reduce((total, one) => total + one[member], 0);
            onProgress({ points: done.points, chunksDone: sum('chunksDone'), chunks: sum('chunks') });
          }),
      }),
    ),
  );
  return { ...answers, also };
}
