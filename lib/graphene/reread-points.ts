/**
 * Reads points again whose supervoxel has no valid root. Their voxels were written before those of a split, or the
 * rows of a new supervoxel were not written yet when its root was looked up: a server writes the voxels first.
 */
import type { RootsAnswer } from '../chunkedgraph/roots/root-source.ts';
import { ChosenPoints } from '../points/chosen-points.ts';
import type { PointSource } from '../points/point-input.ts';
import type { PointQuery } from '../points/point-query.ts';
import type { LookupStats } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { applyRootOutcomes } from './root-status.ts';
import { cooperativeRunner } from '../base/cooperative-work.ts';
import type { VersionedVoxels, VoxelVersion } from './versioned-voxels.ts';

/** The points of a call and their answers, which are changed in place. */
export interface PointAnswers {
  points: PointSource;
  status: Uint8Array;
  supervoxelIds: BigUint64Array;
  rootIds: BigUint64Array;
  snappedNm: Float32Array | undefined;
  stats: LookupStats;
}

/** How points are read, and roots looked up. */
export interface RereadContext {
  voxels: VersionedVoxels;
  reading: PointQuery;
  /** Looks up roots at the timestamp of the call. */
  lookUp: (supervoxelIds: BigUint64Array) => Promise<RootsAnswer>;
}

const { noRoot, staleSupervoxel, failed, rootFailed } = PointStatus;

/**
 * Reads the points without a valid root once more, from the newest version. Where that fails, the first answers
 * stay.
 * @param read The version that was read.
 * @returns The newest version that was read.
 */
export async function rereadPoints(
  { points, status, supervoxelIds, rootIds, snappedNm, stats }: PointAnswers,
  read: VoxelVersion,
  { voxels, reading, lookUp }: RereadContext,
): Promise<VoxelVersion> {
  const suspicious: number[] = [];
  for (let i = 0; i < status.length; i++)
    if (status[i] === noRoot || status[i] === staleSupervoxel) suspicious.push(i);
  if (suspicious.length === 0 || voxels.isPinned) return read;
  const newest = await voxels.current(reading.signal);
  // The same version has the same voxels, so that only a missing row may have been written since.
  const rows = newest === read ? suspicious.filter((i) => status[i] === noRoot) : suspicious;
  if (rows.length === 0) return newest;
  const again = await newest.reader.read(new ChosenPoints(points, rows), reading),
    ids = again.values as BigUint64Array,
    answer = await lookUp(ids);
  await cooperativeRunner.run(applyRootOutcomes(answer.outcomes, again.status));
  for (const [k, i] of rows.entries()) {
    if (again.status[k] === failed || again.status[k] === rootFailed) continue;
    status[i] = again.status[k];
    supervoxelIds[i] = ids[k];
    rootIds[i] = answer.rootIds[k];
    if (snappedNm && again.snapped) snappedNm[i] = again.snapped.nm[k];
  }
  for (const count of ['requests', 'bytes', 'cacheHits', 'absentBy403'] as const)
    stats[count] += again.stats[count];
  stats.rootRequests += answer.requests;
  return newest;
}
