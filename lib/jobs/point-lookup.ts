/** Looks up batches of points in a volume, and returns the answers as columns. */
import PQueue from 'p-queue';
import { wordsOf } from '../base/uint64.ts';
import { pointsOfTypes } from '../points/point-input.ts';
import type { LookupStats, RootsResult, Row, SupervoxelResult, ValuesResult } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { type AnswerColumn, idAnswerColumn, type RowAnswers } from '../tables/answers.ts';

interface PointOptions extends PointReadOptions {
  onError: 'status';
  /** The volume need not copy the points: each batch has its own arrays. */
  borrow: true;
  signal?: AbortSignal;
  onProgress?: (progress: { chunksDone: number; chunks: number; points: number }) => void;
}

/** The part of a volume without a graph that a job needs. */
export interface ValueVolume {
  readonly numChannels: number;
  scatteredPoints(
    points: Int32Array | Float64Array,
    options: PointOptions & Pick<ValueLookupOptions, 'interpolate'>,
  ): Promise<ValuesResult>;
}

/** The part of a graphene volume that a job needs. */
export interface GraphVolume {
  scatteredPoints(
    points: Int32Array | Float64Array,
    options: PointOptions & { agglomerate: boolean; timestamp?: Date; stopLayer?: number },
  ): Promise<SupervoxelResult & { rootIds?: BigUint64Array }>;
  at(timestamp: Date): {
    roots(
      ids: BigUint64Array,
      options: { onError: 'status'; borrow: true; stopLayer?: number; signal?: AbortSignal },
    ): Promise<RootsResult>;
  };
  now(): Date;
}

/** The timestamp of each point: an index into `timestamps`, or -1 for the timestamp of the job. */
export interface PointTimestamps {
  indices: Int32Array;
  timestamps: readonly Date[];
}

/** A batch of points to look up: three coordinates per point. */
export interface PointBatch {
  points: Int32Array | Float64Array;
  /** Which coordinates name voxels, one byte for each; undefined if none does. Used to interpolate. */
  integers?: Uint8Array;
  timestamps?: PointTimestamps;
  signal?: AbortSignal;
  onProgress?: PointOptions['onProgress'];
}

/** The answers of a batch, their statistics and their errors. */
export interface LookupAnswers extends RowAnswers {
  columns: AnswerColumn[];
  stats: LookupStats;
  /** The timestamps of the roots, if points have their own. */
  timestamps?: Date[];
  /** Yields the rows that failed, with their errors. */
  errors: () => Iterable<Row>;
  /** The answers of other volumes, in the order of their lookups. */
  also?: readonly LookupAnswers[];
}

/** Combines the result of a volume with its columns. */
export const toLookupAnswers = (
  result: Pick<RootsResult, 'status' | 'stats'> & { rows(): Iterable<Row> },
  columns: AnswerColumn[],
): LookupAnswers => ({ columns, status: result.status, stats: result.stats, errors: () => result.rows() });

/** Overrides statuses: a row that has a status in `presetStatus` gets that status. */
export function withPresetStatus(answers: LookupAnswers, given: Uint8Array): LookupAnswers {
  const { status } = answers;
  for (let row = 0; row < given.length; row++) if (given[row] !== 0) status[row] = given[row];
  const also = answers.also?.map((other) => withPresetStatus(other, given));
  return { ...answers, presetStatus: given, also };
}

/** A look-up of points. */
export interface PointLookup {
  readonly kind: 'graph' | 'supervoxels' | 'values';
  readonly channels: number;
  readonly stopLayer?: number;
  /** Whether the last column holds the distance to the label that a point snapped to. */
  readonly snaps?: boolean;
  /** The timestamp of all points without their own; known after the first batch. */
  readonly timestamp?: Date;
  /** Fixes the timestamp before the first batch. @returns undefined if no roots are looked up. */
  pin?: () => Date | undefined;
  lookUp(batch: PointBatch): Promise<LookupAnswers>;
  /**
   * Describes what looks wrong about the answers of a whole table: most points hit nothing.
   * @param counts The number of points per status code.
   */
  describeMisses?: (counts: ArrayLike<number>, points: number, chunks: number) => string[];
}

/** Options of reading points. */
export interface PointReadOptions {
  resolution?: readonly number[];
  mip?: number;
  /** Gives background points the nearest label. The distance is the last column. */
  snap?: { radiusNm: number };
}

/** Options of reading points of a volume without a graph. */
export interface ValueLookupOptions extends PointReadOptions {
  /** Whether values are computed between voxels. @default 'none' */
  interpolate?: 'none' | 'linear';
}

/** Options of reading points of a graph. */
export interface GraphLookupOptions extends PointReadOptions {
  /** The timestamp of all roots. @default The volume's now at the first batch. */
  timestamp?: Date;
  stopLayer?: number;
  /** Whether only supervoxels are looked up. @default false */
  supervoxelsOnly?: boolean;
}

/** Creates a look-up of the values of a volume without a graph. */
export function createValueLookup(volume: ValueVolume, options: ValueLookupOptions): PointLookup {
  const channels = volume.numChannels;
  return {
    kind: 'values',
    channels,
    snaps: options.snap !== undefined,
    async lookUp({ points, integers, signal, onProgress }) {
      // Not the type of the array but `integers` tells which coordinates name voxels.
      const typed = options.interpolate === 'linear' ? pointsOfTypes(points, integers) : points;
      // A volume takes a source of points as it is.
      const answer = await volume.scatteredPoints(typed as unknown as Float64Array, {
        ...options,
        onError: 'status',
        borrow: true,
        signal,
        onProgress,
      });
      const columns = Array.from({ length: channels }, (_, offset) => ({
        values: answer.values,
        stride: channels,
        offset,
        zeroMeansMissing: false,
      }));
      return toLookupAnswers(answer, [...columns, ...toDistanceColumns(answer)]);
    },
  };
}

/** Creates a look-up of supervoxels and roots. Its first batch fixes the timestamp. */
export function createGraphLookup(
  volume: GraphVolume,
  { resolution, mip, snap, timestamp, stopLayer, supervoxelsOnly = false }: GraphLookupOptions,
): PointLookup {
  let pinned = timestamp;
  return {
    kind: supervoxelsOnly ? 'supervoxels' : 'graph',
    channels: 1,
    stopLayer,
    snaps: snap !== undefined,
    get timestamp() {
      return pinned;
    },
    pin: () => (supervoxelsOnly ? undefined : (pinned ??= volume.now())),
    async lookUp({ points, timestamps, signal, onProgress }) {
      const read = { resolution, mip, snap, onError: 'status', borrow: true, signal, onProgress } as const;
      if (!supervoxelsOnly) pinned ??= volume.now();
      const isSeparate = supervoxelsOnly || timestamps !== undefined;
      const answer = await volume.scatteredPoints(
        points,
        isSeparate
          ? { ...read, agglomerate: false }
          : { ...read, agglomerate: true, timestamp: pinned, stopLayer },
      );
      const answers = toLookupAnswers(answer, [idAnswerColumn(answer.supervoxelIds)]);
      if (answer.rootIds) answers.columns.push(idAnswerColumn(answer.rootIds));
      else if (timestamps)
        await addRootsByTimestamp(answers, answer.supervoxelIds, timestamps, pinned!, (timestamp, ids) =>
          volume.at(timestamp).roots(ids, { onError: 'status', borrow: true, stopLayer, signal }),
        );
      answers.columns.push(...toDistanceColumns(answer));
      return answers;
    },
  };
}

const toDistanceColumns = ({ snappedNm }: { snappedNm?: Float32Array }): AnswerColumn[] =>
  snappedNm ? [{ values: snappedNm, stride: 1, offset: 0, zeroMeansMissing: false, decimals: 3 }] : [];

/**
 * Looks up the roots of each timestamp together, and merges their statuses and counts into those of the
 * points.
 */
async function addRootsByTimestamp(
  answers: LookupAnswers,
  supervoxelIds: BigUint64Array,
  { indices, timestamps }: PointTimestamps,
  own: Date,
  rootsAt: (timestamp: Date, ids: BigUint64Array) => Promise<RootsResult>,
): Promise<void> {
  const began = performance.now();
  const { status, stats } = answers;
  const rootIds = new BigUint64Array(supervoxelIds.length);
  const known = wordsOf(supervoxelIds);
  const found = wordsOf(rootIds);
  const failedRows: Row[] = [];
  const queue = new PQueue({ concurrency: 4 });
  const lookUp = async (timestamp: Date, rows: Uint32Array): Promise<void> => {
    const ids = new BigUint64Array(rows.length);
    const words = wordsOf(ids);
    rows.forEach((row, k) => words.set(known.subarray(2 * row, 2 * row + 2), 2 * k));
    const result = await rootsAt(timestamp, ids);
    const roots = wordsOf(result.rootIds);
    rows.forEach((row, k) => {
      found[2 * row] = roots[2 * k];
      found[2 * row + 1] = roots[2 * k + 1];
      const code = result.status[k];
      if (status[row] === PointStatus.ok || code === PointStatus.rootFailed) status[row] = code;
    });
    stats.rootRequests += result.stats.rootRequests;
    if (result.status.includes(PointStatus.rootFailed))
      for (const row of result.rows()) if (row.error) failedRows.push({ ...row, index: rows[row.index] });
  };
  const groups = groupByTimestamp(supervoxelIds, indices, timestamps.length)
    .map((rows, m) => ({ rows, timestamp: m === 0 ? own : timestamps[m - 1] }))
    .filter(({ rows }) => rows.length > 0);
  await Promise.all(groups.map(({ rows, timestamp }) => queue.add(() => lookUp(timestamp, rows))));
  answers.columns.push(idAnswerColumn(rootIds));
  answers.timestamps = groups.map(({ timestamp }) => timestamp);
  stats.distinctSupervoxels = countDistinct(supervoxelIds);
  // The look-ups overlap, so the stage took less time than their sum.
  stats.ms.roots = performance.now() - began;
  stats.ms.total += stats.ms.roots;
  const { errors } = answers;
  answers.errors = function* () {
    yield* errors();
    yield* failedRows;
  };
}

/** Groups the rows that have an ID by timestamp. The rows with the timestamp of the job (-1) come first. */
function groupByTimestamp(ids: BigUint64Array, indices: Int32Array, timestamps: number): Uint32Array[] {
  const words = wordsOf(ids);
  const hasId = (row: number): boolean => (words[2 * row] | words[2 * row + 1]) !== 0;
  const counts = new Uint32Array(timestamps + 1);
  for (let row = 0; row < indices.length; row++) if (hasId(row)) counts[indices[row] + 1]++;
  const groups = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < indices.length; row++)
    if (hasId(row)) groups[indices[row] + 1][counts[indices[row] + 1]++] = row;
  return groups;
}

/** Counts the distinct IDs, without 0. */
function countDistinct(ids: BigUint64Array): number {
  const sorted = wordsOf(ids.slice().sort());
  let count = 0;
  let low = 0,
    high = 0;
  for (let at = 0; at < sorted.length; at += 2) {
    if (sorted[at] === low && sorted[at + 1] === high) continue;
    low = sorted[at];
    high = sorted[at + 1];
    count++;
  }
  return count;
}
