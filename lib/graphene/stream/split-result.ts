/** Splits the result of a call into those of its batches. */
import { ChunkError, PartialResultError } from '../../base/errors.ts';
import {
  emptyStats,
  type LookupStats,
  type PointsResult,
  type SupervoxelResult,
  type ValuesResult,
} from '../../points/result.ts';
import { PointStatus } from '../../points/status.ts';
import { resultRows } from '../build-result.ts';
import type { StreamedResult } from './stream-types.ts';

/** The result of any call that reads points. */
export type AnyPointsResult = ValuesResult | SupervoxelResult | PointsResult;

/** The result of a call, and why answers are missing. */
export interface CallOutcome<Result> {
  result: Result;
  causes: ReadonlyMap<string, Error>;
}

/** A batch in a call: its points are those from `from` to `end`. */
interface PlacedBatch<Batch> {
  index: number;
  batch: Batch;
  from: number;
  end: number;
}

const NO_ERRORS: ReadonlyMap<number, Error> = new Map();

/** Splits one result. Each part has copies of its answers, and keeps nothing of the others alive. */
export class ResultSplitter<Result extends AnyPointsResult> {
  readonly #result: Result;
  readonly #causes: ReadonlyMap<string, Error>;
  /** The errors of all rows that have one. */
  #errors: ReadonlyMap<number, Error> | undefined;

  constructor({ result, causes }: CallOutcome<Result>) {
    this.#result = result;
    this.#causes = causes;
  }

  /** Returns the result of one batch. */
  part<Batch>(place: PlacedBatch<Batch>): StreamedResult<Result, Batch> {
    const { from, end } = place,
      status = this.#result.status.slice(from, end);
    const errors = hasFailures(status) ? (this.#errors ??= errorsOf(this.#result)) : NO_ERRORS;
    const errorOf = (index: number): Error | undefined => errors.get(from + index);
    return partOf(this.#result, place, status, errorOf) as unknown as StreamedResult<Result, Batch>;
  }

  /** Returns why answers of a batch are missing. Two errors of the same chunk are one cause. */
  causesOf({ from, end }: { from: number; end: number }): Map<string, Error> {
    const own = new Set<unknown>();
    for (let index = from; index < end; index++) {
      const error = this.#errors?.get(index);
      own.add(error).add(error instanceof ChunkError ? error.url : error);
    }
    return new Map([...this.#causes].filter(([key, error]) => own.has(error) || own.has(key)));
  }
}

/** Whether answers of some points are missing. */
export const hasFailures = (status: Uint8Array): boolean =>
  status.includes(PointStatus.failed) || status.includes(PointStatus.rootFailed);

function errorsOf(result: AnyPointsResult): Map<number, Error> {
  const errors = new Map<number, Error>();
  for (const { index, error } of result.rows()) if (error) errors.set(index, error);
  return errors;
}

/** Copies the answers of one batch. Object literals of one shape each: a stream may have a batch per point. */
function partOf<Batch>(
  result: AnyPointsResult,
  { index, batch, from, end }: PlacedBatch<Batch>,
  status: Uint8Array,
  errorOf: (index: number) => Error | undefined,
): StreamedResult<AnyPointsResult, Batch> {
  const stats = statsOfPart(result.stats, end - from, from === 0 && status.length > 0),
    snappedNm = result.snappedNm?.slice(from, end);
  let part: StreamedResult<AnyPointsResult, Batch>;
  if ('values' in result) {
    const channels = result.values.length / result.status.length,
      values = result.values.slice(from * channels, end * channels);
    const fieldsOf = (row: number): { values: (number | bigint)[] } => ({
      values: [...values.subarray(row * channels, (row + 1) * channels)],
    });
    part = {
      values,
      status,
      stats,
      rows: () => resultRows(status, snappedNm, fieldsOf, errorOf),
      index,
      batch,
    };
  } else if ('rootIds' in result) {
    const { timestamp, settled } = result,
      supervoxelIds = result.supervoxelIds.slice(from, end),
      rootIds = result.rootIds.slice(from, end);
    const fieldsOf = (row: number): { supervoxelId: bigint; rootId: bigint } => ({
      supervoxelId: supervoxelIds[row],
      rootId: rootIds[row],
    });
    const rows: PointsResult['rows'] = () => resultRows(status, snappedNm, fieldsOf, errorOf);
    part = { supervoxelIds, rootIds, timestamp, settled, status, stats, rows, index, batch };
  } else {
    const supervoxelIds = result.supervoxelIds.slice(from, end);
    const fieldsOf = (row: number): { supervoxelId: bigint } => ({ supervoxelId: supervoxelIds[row] });
    part = {
      supervoxelIds,
      status,
      stats,
      rows: () => resultRows(status, snappedNm, fieldsOf, errorOf),
      index,
      batch,
    };
  }
  if (snappedNm) part.snappedNm = snappedNm;
  if ('generation' in result && 'supervoxelIds' in part) part.generation = result.generation;
  return part;
}

/**
 * Returns the statistics of one batch of a call. What the call read and requested counts for its first batch
 * with points, so that sums over a stream are right.
 */
function statsOfPart(stats: LookupStats, points: number, isFirst: boolean): LookupStats {
  if (isFirst) return { ...stats, points };
  const none = emptyStats();
  none.points = points;
  if (stats.rootCacheHits !== undefined) none.rootCacheHits = 0;
  return none;
}

/** Creates the error of a batch some of whose points failed. */
export function batchError(
  index: number,
  result: AnyPointsResult,
  causes: ReadonlyMap<string, Error>,
): PartialResultError {
  const { status } = result;
  let failed = 0;
  for (const code of status) if (code === PointStatus.failed || code === PointStatus.rootFailed) failed++;
  const [first] = causes.values() as Iterable<Error | undefined>;
  return new PartialResultError(
    `batch ${index} of the stream: ${failed} of ${status.length} points have no answer; the rest is in error.result. First: ${first?.message}`,
    result,
    new Map(causes),
  );
}
