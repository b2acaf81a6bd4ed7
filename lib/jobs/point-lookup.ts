/** The question a job asks of a volume, batch by batch, and its answers as columns. */
import PQueue from 'p-queue';
import { wordsOf } from '../base/uint64.ts';
import type { LookupStats, RootsResult, Row, SupervoxelResult, ValuesResult } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { type AnswerColumn, idAnswerColumn, type RowAnswers } from '../tables/answers.ts';

interface PointOptions extends PointReadOptions {
  onError: 'status';
  /** A batch has arrays of its own. */
  borrow: true;
  signal?: AbortSignal;
  onProgress?: (progress: { chunksDone: number; chunks: number; points: number }) => void;
}

/** What a job needs of a plain volume. */
export interface ValueVolume {
  readonly numChannels: number;
  scatteredPoints(points: Float64Array, options: PointOptions): Promise<ValuesResult>;
}

/** What a job needs of a graphene volume. */
export interface GraphVolume {
  scatteredPoints(
    points: Float64Array,
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

/** Which instant each point is asked at: an index into `instants`, or -1 for the job's own. */
export interface PointTimestamps {
  indices: Int32Array;
  timestamps: readonly Date[];
}

export interface PointBatch {
  points: Float64Array;
  timestamps?: PointTimestamps;
  signal?: AbortSignal;
  onProgress?: PointOptions['onProgress'];
}

export interface LookupAnswers extends RowAnswers {
  columns: AnswerColumn[];
  stats: LookupStats;
  /** Where points have their own: the instants at which roots were asked. */
  timestamps?: Date[];
  /** Rows with what broke them; rows without are skipped. */
  errors: () => Iterable<Row>;
}

/** What a volume answered, as columns. */
export const toLookupAnswers = (
  result: Pick<RootsResult, 'status' | 'stats'> & { rows(): Iterable<Row> },
  columns: AnswerColumn[],
): LookupAnswers => ({ columns, status: result.status, stats: result.stats, errors: () => result.rows() });

/** The answers, and what is known without asking: a row that has a status in `given` has no other. */
export function withPresetStatus(answers: LookupAnswers, given: Uint8Array): LookupAnswers {
  const { status } = answers;
  for (let row = 0; row < given.length; row++) if (given[row] !== 0) status[row] = given[row];
  return { ...answers, presetStatus: given };
}

export interface PointLookup {
  readonly kind: 'graph' | 'supervoxels' | 'values';
  readonly channels: number;
  readonly stopLayer?: number;
  /** Whether the last column says how far labels were taken from. */
  readonly snaps?: boolean;
  /** The one instant of all root look-ups without their own; known once a batch was asked. */
  readonly timestamp?: Date;
  lookUp(batch: PointBatch): Promise<LookupAnswers>;
}

export interface PointReadOptions {
  resolution?: readonly number[];
  mip?: number;
  /** Points on background take the nearest label; how far that is makes a last column. */
  snap?: { radiusNm: number };
}

export interface GraphLookupOptions extends PointReadOptions {
  /** @default the volume's now, taken once, for the first batch. */
  timestamp?: Date;
  stopLayer?: number;
  /** Only supervoxels: no root is asked. */
  supervoxelsOnly?: boolean;
}

export function createValueLookup(volume: ValueVolume, options: PointReadOptions): PointLookup {
  const channels = volume.numChannels;
  return {
    kind: 'values',
    channels,
    snaps: options.snap !== undefined,
    async lookUp({ points, signal, onProgress }) {
      const answer = await volume.scatteredPoints(points, {
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
      return toLookupAnswers(answer, [...columns, ...distanceColumn(answer)]);
    },
  };
}

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
    async lookUp({ points, timestamps: moments, signal, onProgress }) {
      const read = { resolution, mip, snap, onError: 'status', borrow: true, signal, onProgress } as const;
      if (!supervoxelsOnly) pinned ??= volume.now();
      const apart = supervoxelsOnly || moments !== undefined;
      const answer = await volume.scatteredPoints(
        points,
        apart
          ? { ...read, agglomerate: false }
          : { ...read, agglomerate: true, timestamp: pinned, stopLayer },
      );
      const answers = toLookupAnswers(answer, [idAnswerColumn(answer.supervoxelIds)]);
      if (answer.rootIds) answers.columns.push(idAnswerColumn(answer.rootIds));
      else if (moments)
        await addRootsByMoment(answers, answer.supervoxelIds, moments, pinned!, (instant, ids) =>
          volume.at(instant).roots(ids, { onError: 'status', borrow: true, stopLayer, signal }),
        );
      answers.columns.push(...distanceColumn(answer));
      return answers;
    },
  };
}

const distanceColumn = ({ snappedNm }: { snappedNm?: Float32Array }): AnswerColumn[] =>
  snappedNm ? [{ values: snappedNm, stride: 1, offset: 0, zeroMeansMissing: false, decimals: 3 }] : [];

/** Looks up the roots of each instant's rows together, and merges their statuses and counts into those of the points. */
async function addRootsByMoment(
  answers: LookupAnswers,
  supervoxelIds: BigUint64Array,
  { indices: of, timestamps: instants }: PointTimestamps,
  own: Date,
  rootsAt: (instant: Date, ids: BigUint64Array) => Promise<RootsResult>,
): Promise<void> {
  const began = performance.now();
  const { status, stats } = answers;
  const rootIds = new BigUint64Array(supervoxelIds.length);
  const known = wordsOf(supervoxelIds);
  const found = wordsOf(rootIds);
  const broken: Row[] = [];
  const queue = new PQueue({ concurrency: 4 });
  const lookUp = async (instant: Date, rows: Uint32Array): Promise<void> => {
    const ids = new BigUint64Array(rows.length);
    const words = wordsOf(ids);
    rows.forEach((row, k) => words.set(known.subarray(2 * row, 2 * row + 2), 2 * k));
    const result = await rootsAt(instant, ids);
    const roots = wordsOf(result.rootIds);
    rows.forEach((row, k) => {
      found[2 * row] = roots[2 * k];
      found[2 * row + 1] = roots[2 * k + 1];
      const code = result.status[k];
      if (status[row] === PointStatus.ok || code === PointStatus.rootFailed) status[row] = code;
    });
    stats.rootRequests += result.stats.rootRequests;
    if (result.status.includes(PointStatus.rootFailed))
      for (const row of result.rows()) if (row.error) broken.push({ ...row, index: rows[row.index] });
  };
  const groups = rowsByMoment(supervoxelIds, of, instants.length)
    .map((rows, m) => ({ rows, instant: m === 0 ? own : instants[m - 1] }))
    .filter(({ rows }) => rows.length > 0);
  await Promise.all(groups.map(({ rows, instant }) => queue.add(() => lookUp(instant, rows))));
  answers.columns.push(idAnswerColumn(rootIds));
  answers.timestamps = groups.map(({ instant }) => instant);
  stats.distinctSupervoxels = countDistinct(supervoxelIds);
  // Look-ups of several instants overlap: the stage took less than the sum of their times.
  stats.ms.roots = performance.now() - began;
  stats.ms.total += stats.ms.roots;
  const { errors } = answers;
  answers.errors = function* () {
    yield* errors();
    yield* broken;
  };
}

/** Rows that have an ID, by instant; those of the job's own instant (-1) come first. */
function rowsByMoment(ids: BigUint64Array, of: Int32Array, instants: number): Uint32Array[] {
  const words = wordsOf(ids);
  const asked = (row: number): boolean => (words[2 * row] | words[2 * row + 1]) !== 0;
  const counts = new Uint32Array(instants + 1);
  for (let row = 0; row < of.length; row++) if (asked(row)) counts[of[row] + 1]++;
  const groups = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < of.length; row++) if (asked(row)) groups[of[row] + 1][counts[of[row] + 1]++] = row;
  return groups;
}

/** How many different IDs there are, 0 left out. */
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
