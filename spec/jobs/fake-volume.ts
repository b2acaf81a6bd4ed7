/** Fake volumes whose answers follow from the coordinates: x determines the status of the point. */
import type { LookupStats, RootsResult } from '../../lib/points/result.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';
import type { GraphVolume, ValueVolume } from '../../lib/jobs/point-lookup.ts';

/** The x of a point with this status; any other x is `ok`. */
export const AT = {
  background: 900,
  outOfBounds: 901,
  missingChunk: 902,
  suspect: 903,
  noRoot: 904,
  failed: 905,
  rootFailed: 906,
  suspectNoRoot: 907,
} as const;

export const NOW = new Date('2024-06-05T10:10:01.203Z');
const BASE = 2n ** 56n + 1n;

const supervoxelOf = (x: number, y: number): bigint => BASE + BigInt(x) * 1000n + BigInt(y);
/** The root changes with the day of the month. */
const rootOf = (supervoxel: bigint, day: number): bigint => supervoxel + 2n ** 59n + BigInt(day) * 10n ** 7n;

/** The text of the supervoxel and of the root of a point in a table. */
export const supervoxelText = (x: number, y: number): string => String(supervoxelOf(x, y));
export const rootText = (x: number, y: number, day = NOW.getUTCDate()): string =>
  String(rootOf(supervoxelOf(x, y), day));

const readStats = (points: number): LookupStats => ({
  points,
  chunks: 2,
  requests: 2,
  bytes: 100,
  cacheHits: 0,
  absentBy403: 0,
  rootRequests: 0,
  distinctSupervoxels: 0,
  ms: { plan: 1, chunks: 1, roots: 0, total: 2 },
});
const rootStats = (points: number): LookupStats => ({
  points,
  chunks: 0,
  requests: 0,
  bytes: 0,
  cacheHits: 0,
  absentBy403: 0,
  rootRequests: 1,
  distinctSupervoxels: points,
  ms: { plan: 0, chunks: 0, roots: 1, total: 1 },
});

const xOf = (supervoxel: bigint): number => Number((supervoxel - BASE) / 1000n);

function voxelStatus(x: number): number {
  if (Number.isNaN(x)) return PointStatus.invalidPoint;
  if (x === AT.background) return PointStatus.background;
  if (x === AT.missingChunk) return PointStatus.missingChunk;
  if (x === AT.failed) return PointStatus.failed;
  if (x === AT.suspect || x === AT.suspectNoRoot) return PointStatus.suspect;
  return x === AT.outOfBounds || x < 0 || x >= 1000 ? PointStatus.outOfBounds : PointStatus.ok;
}

const rootStatus = (x: number): number =>
  x === AT.noRoot || x === AT.suspectNoRoot
    ? PointStatus.noRoot
    : x === AT.rootFailed
      ? PointStatus.rootFailed
      : PointStatus.ok;

function* errorRows(
  status: Uint8Array,
): Generator<{ index: number; status: string; supervoxelId: bigint; rootId: bigint; error?: Error }> {
  for (let index = 0; index < status.length; index++) {
    const broken = status[index] === PointStatus.failed || status[index] === PointStatus.rootFailed;
    yield {
      index,
      status: statusText(status[index]),
      supervoxelId: 0n,
      rootId: 0n,
      error: broken ? new Error('it broke', { cause: new Error('the disk is gone') }) : undefined,
    };
  }
}

export interface FakeGraphVolume extends GraphVolume {
  /** Every call, as text. */
  readonly calls: string[];
}

export function fakeGraphVolume(): FakeGraphVolume {
  const calls: string[] = [];
  const roots = (ids: BigUint64Array, at: Date): RootsResult => {
    const rootIds = new BigUint64Array(ids.length);
    const status = new Uint8Array(ids.length);
    ids.forEach((id, k) => {
      status[k] = rootStatus(xOf(id));
      if (status[k] === PointStatus.ok) rootIds[k] = rootOf(id, at.getUTCDate());
    });
    return {
      rootIds,
      status,
      timestamp: at,
      settled: true,
      stats: rootStats(ids.length),
      rows: () => errorRows(status),
    };
  };
  return {
    calls,
    now: () => (calls.push('now'), NOW),
    at: (instant) => ({
      async roots(ids, { stopLayer }) {
        calls.push(
          `roots ${ids.length} at ${instant.toISOString().slice(0, 10)}${stopLayer ? ` to layer ${stopLayer}` : ''}`,
        );
        return roots(ids, instant);
      },
    }),
    async scatteredPoints(points, { agglomerate, timestamp, signal, onProgress }) {
      signal?.throwIfAborted();
      const n = points.length / 3;
      calls.push(`points ${n}${agglomerate ? ` at ${timestamp!.toISOString().slice(0, 10)}` : ''}`);
      const supervoxelIds = new BigUint64Array(n);
      const status = new Uint8Array(n);
      for (let k = 0; k < n; k++) {
        status[k] = voxelStatus(points[3 * k]);
        if (status[k] === PointStatus.ok || status[k] === PointStatus.suspect)
          supervoxelIds[k] = supervoxelOf(points[3 * k], points[3 * k + 1]);
      }
      onProgress?.({ chunksDone: 1, chunks: 1, points: n });
      const answer = {
        supervoxelIds,
        status,
        stats: agglomerate ? { ...readStats(n), rootRequests: 1, distinctSupervoxels: n } : readStats(n),
        rows: () => errorRows(status),
      };
      if (!agglomerate) return answer;
      const rootIds = new BigUint64Array(n);
      supervoxelIds.forEach((id, k) => {
        if (id === 0n) return;
        const one = roots(BigUint64Array.of(id), timestamp!);
        rootIds[k] = one.rootIds[0];
        if (status[k] === PointStatus.ok || one.status[0] === PointStatus.rootFailed)
          status[k] = one.status[0];
      });
      return { ...answer, rootIds };
    },
  };
}

export function fakeValueVolume(numChannels = 1): ValueVolume {
  return {
    numChannels,
    async scatteredPoints(points) {
      const n = points.length / 3;
      const values = new Float32Array(n * numChannels).map((_, k) => k - 0.5);
      const status = new Uint8Array(n).map((_, k) => voxelStatus(points[3 * k]));
      return { values, status, stats: readStats(n), rows: () => (function* () {})() };
    },
  };
}
