/** Failures gathered into one error, for those who asked to be told by a throw. */
import { PartialResultError } from '../base/errors.ts';
import type { ChunkFailure } from '../points/read-points.ts';
import type { RootFailure } from '../chunkedgraph/root-source.ts';
import { PointStatus } from '../points/status.ts';

/** @throws PartialResultError when anything failed and `onError` is `throw`. */
export function throwIfPartial<Result>(result: Result, status: Uint8Array, onError: 'throw' | 'status', chunks: readonly ChunkFailure[], roots: readonly RootFailure[] = []): Result {
  if (onError === 'status' || chunks.length + roots.length === 0) return result;
  const causes = new Map<string, Error>();
  for (const { error } of chunks) causes.set(error.url, error);
  for (const { first, error } of roots) causes.set(`roots:${first}`, error);
  const points = chunks.reduce((n, failure) => n + failure.points.length, 0);
  const what = [
    ...(chunks.length > 0 ? [`${chunks.length} chunks (${points} of ${status.length} points) could not be read`] : []),
    ...(roots.length > 0 ? [`${count(status, PointStatus.rootFailed)} of ${status.length} roots could not be looked up`] : []),
  ].join(' and ');
  const first = causes.values().next().value as Error;
  throw new PartialResultError(`${what}; the rest is in error.result. First: ${first.message}`, result, causes);
}

const count = (status: Uint8Array, code: number): number => status.reduce((sum, one) => sum + Number(one === code), 0);
