/** The public types of `lookupStream`. */
import type { Point, PointInput } from '../../points/point-input.ts';
import type { ReadPointsOptions, ScatteredPointsOptions } from '../option-types.ts';

/**
 * One batch of a stream: points in any form that `scatteredPoints` takes, or one point. An object with `points`
 * may hold whatever else belongs to the batch.
 */
export type StreamBatch =
  | PointInput
  | Point
  | {
      /** The points, in any form that `scatteredPoints` takes, or one point. Other properties are passed on untouched. */
      readonly points: PointInput | Point;
    };

/** The answers of one batch: the result of `scatteredPoints`, and the batch that it belongs to. */
export type StreamedResult<Result, Batch> = Result & {
  /** The place of the batch in the stream, from 0. */
  index: number;
  /** The batch, as the source gave it. */
  batch: Batch;
};

interface Grouping {
  /**
   * Greatest number of calls whose answers have not all been taken. Besides their batches, those of one more
   * call are read from the source.
   * @default 4
   */
  concurrency?: number;
  /**
   * Small batches are looked up together: a call takes what the source has ready, until it has this many
   * points.
   * @default 65536
   */
  pointsPerCall?: number;
}

/** Options of `lookupStream` on a Precomputed volume. They hold for all batches. */
export interface StreamOptions extends Omit<ReadPointsOptions, 'onProgress'>, Grouping {}

/** Options of `lookupStream` on a graphene volume. They hold for all batches. */
export interface ScatteredStreamOptions extends Omit<ScatteredPointsOptions, 'onProgress'>, Grouping {}
