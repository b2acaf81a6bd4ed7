/** The work of `lookupStream`: batches of points in, one result per batch out, in the same order. */
import { PartialResultError } from '../../base/errors.ts';
import { JoinedPoints } from '../../points/joined-points.ts';
import type { PointSource } from '../../points/point-input.ts';
import { OrderedGroups } from './ordered-groups.ts';
import { checkStreamSource, readBatch, type ReadBatch } from './point-batch.ts';
import {
  batchError,
  hasFailures,
  ResultSplitter,
  type AnyPointsResult,
  type CallOutcome,
} from './split-result.ts';
import { DEFAULT_POINTS_PER_CALL, DEFAULT_STREAM_CALLS } from './stream-options.ts';
import type { ScatteredStreamOptions, StreamBatch, StreamedResult } from './stream-types.ts';

/** A volume, as far as a stream needs it. */
export interface StreamVolume<Result> {
  /** Looks up the points of one call. It throws a PartialResultError for failures. */
  lookUp: (points: PointSource, signal: AbortSignal) => Promise<Result>;
  /** Aborted by `close()`. */
  closed: AbortSignal;
  /** Receives the result of each call. */
  note: (result: Result) => void;
  onEnd: () => void;
}

/** Looks up the batches of a stream. @throws TypeError for a source that is not one. */
export function streamLookups<Batch extends StreamBatch, Result extends AnyPointsResult>(
  source: AsyncIterable<Batch> | Iterable<Batch>,
  options: ScatteredStreamOptions,
  volume: StreamVolume<Result>,
): AsyncGenerator<StreamedResult<Result, Batch>, void, undefined> {
  checkStreamSource(source);
  const { concurrency = DEFAULT_STREAM_CALLS, pointsPerCall = DEFAULT_POINTS_PER_CALL, signal } = options;
  return new OrderedGroups<Batch, ReadBatch<Batch>, StreamedResult<Result, Batch>>({
    source,
    concurrency,
    groupSize: pointsPerCall,
    signals: [signal, volume.closed],
    prepare: (batch, index) => readBatch(batch, index, options),
    sizeOf: (batch) => Math.max(1, batch.source.count), // so that empty batches fill a group, too
    onEnd: volume.onEnd,
    async answer(batches, stop) {
      const points =
        batches.length === 1 ? batches[0].source : new JoinedPoints(batches.map((b) => b.source));
      const outcome = await lookUpAll(volume, points, stop);
      volume.note(outcome.result);
      const splitter = new ResultSplitter(outcome);
      let from = 0;
      return (k) => {
        const { index, batch, source: own } = batches[k],
          place = { index, batch, from, end: (from += own.count) };
        const isWhole = batches.length === 1,
          streamed = isWhole ? { ...outcome.result, index, batch } : splitter.part(place);
        if (options.onError !== 'status' && hasFailures(streamed.status))
          throw batchError(index, streamed, isWhole ? outcome.causes : splitter.causesOf(place));
        return streamed;
      };
    },
  });
}

async function lookUpAll<Result extends AnyPointsResult>(
  { lookUp }: StreamVolume<Result>,
  points: PointSource,
  stop: AbortSignal,
): Promise<CallOutcome<Result>> {
  try {
    return { result: await lookUp(points, stop), causes: new Map() };
  } catch (error) {
    if (!(error instanceof PartialResultError)) throw error;
    return { result: error.result as unknown as Result, causes: error.causes };
  }
}
