/**
 * Estimates what a look-up of a table costs: reads the table, counts its points and their chunks, and samples a
 * few chunks. It requests no root and writes nothing. Memory: one batch, and 32 bytes for each distinct chunk of
 * the first two million of each volume.
 */
import type { ChunkSample } from '../chunks/sample-chunks.ts';
import { CellSketch } from '../points/cell-sketch.ts';
import { statusText } from '../points/status.ts';
import type { TableSource } from '../tables/table.ts';
import type { LookupEstimate, SurveyedVolume, VolumeEstimate } from './estimate-types.ts';
import { integersOf } from './point-table.ts';
import type { PointRows } from './point-rows.ts';
import type { RowWarnings } from './row-warnings.ts';

/** At most this many chunks of a volume are sampled. */
export const SAMPLED_CHUNKS = 16;

/** The status of a point that is to be read. */
const INSIDE = 0;

/** What is estimated, and with which settings. */
export interface EstimateOptions {
  rows: PointRows;
  rowWarnings: RowWarnings;
  volumes: readonly SurveyedVolume[];
  /** About how many points a task has, and how many supervoxels a root request. */
  taskPoints: number;
  rootBatchSize: number;
  /** The most chunks that are sampled at once. */
  atOnce: number;
  hasOwnTimestamps: boolean;
  signal: AbortSignal;
  warn: (message: string) => void;
  /** Receives the number of rows that are read. */
  onRows?: (rows: number) => void;
}

/** What is counted of a volume. */
interface Counted {
  volume: SurveyedVolume;
  cells: CellSketch;
  minishards: CellSketch;
  statuses: Float64Array;
}

/** Reads the table to its end. The caller closes it. @throws TableError. */
export async function estimateLookup(table: TableSource, options: EstimateOptions): Promise<LookupEstimate> {
  const { rows: pointRows, rowWarnings, volumes, signal, warn, onRows, atOnce } = options,
    began = performance.now();
  const counted = volumes.map((volume): Counted => ({
    volume,
    cells: new CellSketch(),
    minishards: new CellSketch(),
    statuses: new Float64Array(256),
  }));
  let rows = 0,
    points = 0;
  for await (const batch of table.batches()) {
    signal.throwIfAborted();
    const { problemOf } = pointRows.prepare(batch);
    rowWarnings.report(batch, problemOf);
    pointRows.noteNumbers(batch);
    rows += batch.rows;
    points += batch.pointStatus.length;
    const integers = integersOf(batch, pointRows.namesVoxels);
    for (const one of counted) countPoints(one, batch, integers);
    onRows?.(rows);
  }
  signal.throwIfAborted();
  if (rows === 0 && !table.hasHeader) warn('the table is empty');
  rowWarnings.summarize();
  const tableSeconds = (performance.now() - began) / 1000;
  const found: VolumeEstimate[] = [];
  for (const one of counted) {
    const sample = await one.volume.sample(one.cells.sample(SAMPLED_CHUNKS), { atOnce, signal });
    found.push(estimateVolume(one, sample, options));
  }
  return summarize({ rows, points, tableSeconds }, counted, found, options);
}

function countPoints(
  { volume, cells, minishards, statuses }: Counted,
  { points, pointStatus }: { points: Float64Array; pointStatus: Uint8Array },
  integers: Uint8Array | undefined,
): void {
  const status = new Uint8Array(pointStatus.length);
  for (const found of volume.cellsOf(points, status, integers)) {
    const added = cells.add(found);
    if (volume.isSharded) minishards.add(volume.minishardsOf(added));
  }
  for (let at = 0; at < status.length; at++) statuses[pointStatus[at] || status[at]]++;
}

function estimateVolume(
  { volume, cells, minishards, statuses }: Counted,
  sample: ChunkSample,
  { taskPoints, rootBatchSize, hasOwnTimestamps }: EstimateOptions,
): VolumeEstimate {
  const { stored, missing, cached, failed, errors, chunkBytes } = sample,
    read = stored + missing + cached,
    chunks = cells.count,
    inside = statuses[INSIDE];
  const isKnown = chunks === 0 || read > 0,
    meanBytes = read > 0 ? chunkBytes / read : null,
    // Indices are read once per minishard, not once per chunk.
    indexBytes = sample.bytes - chunkBytes,
    sampled = new CellSketch();
  if (volume.isSharded) sampled.add(volume.minishardsOf(cells.sample(read + failed)));
  const tasks = Math.max(1, Math.ceil((2 * inside) / taskPoints));
  const byStatus: Record<string, number> = {};
  statuses.forEach((count, code) => {
    if (count > 0 && code !== INSIDE) byStatus[statusText(code)] = count;
  });
  return {
    name: volume.name ?? null,
    url: volume.url,
    inside,
    statuses: byStatus,
    chunks,
    chunksAreEstimated: !cells.isExact,
    sample: {
      stored,
      missing,
      cached,
      failed,
      requests: sample.requests,
      bytes: sample.bytes,
      meanBytes,
      meanMs: Number.isFinite(sample.meanMs) ? sample.meanMs : null,
      atOnce: sample.atOnce,
      errors,
    },
    // Each shard has an index, too.
    requests: chunks + (volume.isSharded ? 2 * minishards.count : 0),
    bytes: isKnown
      ? Math.round(
          chunks * (meanBytes ?? 0) +
            (sampled.count > 0 ? (indexBytes * minishards.count) / sampled.count : indexBytes),
        )
      : null,
    seconds: isKnown ? (chunks * sample.wallMs) / Math.max(1, sample.timed) / 1000 : null,
    roots:
      volume.kind === 'graph'
        ? {
            distinctSupervoxelsAtMost: inside,
            requestsAtMost: hasOwnTimestamps
              ? null
              : inside === 0
                ? 0
                : Math.floor(inside / rootBatchSize) + tasks,
          }
        : null,
  };
}

function summarize(
  read: Pick<LookupEstimate, 'rows' | 'points' | 'tableSeconds'>,
  counted: readonly Counted[],
  volumes: VolumeEstimate[],
  { hasOwnTimestamps }: EstimateOptions,
): LookupEstimate {
  const { tableSeconds } = read;
  const sum = (of: (volume: VolumeEstimate) => number | null): number | null =>
    volumes.reduce<number | null>((total, volume) => {
      const own = of(volume);
      return total === null || own === null ? null : total + own;
    }, 0);
  const chunkSeconds = sum(({ seconds }) => seconds),
    hasRoots = volumes.some(({ roots }) => roots !== null),
    isSharded = counted.some(({ volume }) => volume.isSharded);
  return {
    ...read,
    volumes,
    total: {
      chunks: sum(({ chunks }) => chunks)!,
      requests: sum(({ requests }) => requests)!,
      bytes: sum(({ bytes }) => bytes),
      rootRequestsAtMost: sum(({ roots }) => (roots ? roots.requestsAtMost : 0)),
      seconds: chunkSeconds === null ? null : chunkSeconds + 2 * tableSeconds,
    },
    estimates: [
      'bytes',
      'seconds',
      ...(volumes.some(({ chunksAreEstimated }) => chunksAreEstimated) ? ['chunks'] : []),
      ...(isSharded ? [] : ['requests']),
    ],
    upperBounds: [
      ...(isSharded ? ['requests'] : []),
      ...(hasRoots ? ['distinctSupervoxelsAtMost', 'requestsAtMost', 'rootRequestsAtMost'] : []),
    ],
    assumptions: [
      'each chunk is read once, as large as those of the sample on average',
      'the time is twice that of reading the table, and that of the chunks at the speed of the sample, which a long look-up may exceed by reading more chunks at once',
      'no request is repeated after a failure',
      ...(isSharded
        ? [
            'each minishard of the points costs two requests for its index, and neighbouring chunks are not read together',
          ]
        : []),
      ...(hasRoots ? ['the time of the requests for roots is not known, and not counted'] : []),
      ...(hasRoots && hasOwnTimestamps
        ? ['rows have their own timestamps, so that the number of root requests is not known']
        : []),
      ...(counted.some(({ volume }) => volume.snaps)
        ? ['chunks that are searched around points to snap are not counted']
        : []),
    ],
  };
}
