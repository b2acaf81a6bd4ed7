/** Throws one PartialResultError for all failures of a call, when `onError` is `'throw'`. */
import { PartialResultError } from '../base/errors.ts';
import { inStretches, cooperativeRunner, type PausableWork } from '../base/cooperative-work.ts';
import type { ChunkFailure } from '../points/read-points.ts';
import type { RootFailure } from '../chunkedgraph/roots/root-source.ts';
import { PointStatus } from '../points/status.ts';

/** Returns `result`. @throws PartialResultError when anything failed and `onError` is `'throw'`. */
export async function throwIfPartial<Result>(
  result: Result,
  status: Uint8Array,
  onError: 'throw' | 'status' = 'throw',
  chunks: readonly ChunkFailure[],
  roots: readonly RootFailure[] = [],
): Promise<Result> {
  if (onError === 'status' || chunks.length + roots.length === 0) return result;
  const causes = new Map<string, Error>();
  for (const { error } of chunks) causes.set(error.url, error);
  for (const { first, error } of roots) causes.set(`roots:${first}`, error);
  const [points, failedRoots] = await cooperativeRunner.run(
    count(status, [PointStatus.failed, PointStatus.rootFailed]),
  );
  const what = [
    ...(chunks.length > 0
      ? [
          chunks.some((chunk) => !chunk.points)
            ? `${points} of ${status.length} points could not be read`
            : `${chunks.length} chunks (${points} of ${status.length} points) could not be read`,
        ]
      : []),
    ...(roots.length > 0 ? [`${failedRoots} of ${status.length} roots could not be looked up`] : []),
  ].join(' and ');
  const first = causes.values().next().value as Error;
  throw new PartialResultError(
    `${what}; the rest is in error.result. First: ${first.message}`,
    result,
    causes,
  );
}

function* count(status: Uint8Array, codes: readonly number[]): PausableWork<number[]> {
  const counts = codes.map(() => 0);
  yield* inStretches(status.length, (from, end) => {
    for (const [k, code] of codes.entries())
      for (let i = from; i < end; i++) if (status[i] === code) counts[k]++;
  });
  return counts;
}
