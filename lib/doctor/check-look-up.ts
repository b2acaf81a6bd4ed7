/**
 * Checks one look-up: searches for a voxel with a label, first near the middle of the volume, then throughout
 * it.
 */
import { formatVec3, type Vec3 } from '../base/vec3.ts';
import { fail, ok, warn, type Finding } from './findings.ts';
import { scaleAt, type Scale } from '../precomputed/volume-info.ts';
import { isGrapheneVolume } from '../graphene/graph-volumes.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import type { PrecomputedVolume } from '../graphene/precomputed-volume.ts';

/**
 * The offsets of the sampled voxels: fractions of a chunk from the middle, then fractions of the whole
 * volume.
 */
const ROUNDS = [
  [-0.2, 0, 0.2],
  [1 / 6, 1 / 2, 5 / 6],
] as const;

/** Looks up at most 54 voxels and reports the first with a label. */
export async function lookUpNearMiddle(
  volume: GrapheneVolume | PrecomputedVolume,
  mip: number,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  try {
    const scale = scaleAt(volume.scales, mip);
    let missing = 0;
    for (const points of [aroundMiddle(scale), throughout(scale)]) {
      const found = await firstLabel(volume, points, scale, signal);
      if (typeof found === 'object') return found;
      missing += found;
    }
    return reportNothing(missing, mip);
  } catch (error) {
    return fail('look-up', error);
  }
}

const SAMPLED = 2 * 27;
const WHERE = `${SAMPLED} voxels near the middle and throughout mip`;

function reportNothing(missing: number, mip: number): Finding {
  if (missing === SAMPLED)
    return warn(
      'look-up',
      `nothing is stored at ${WHERE} ${mip}: none of the requested chunks was found`,
      'check the path: the chunks may be in another place, or have another layout or other names',
    );
  const some =
    missing === 0 ? 'only background' : `only background, or chunks that are not stored (${missing} voxels),`;
  return warn('look-up', `${some} at ${WHERE} ${mip}`, 'look up a point that you know has a label');
}

/**
 * Looks up points until one has a label.
 *
 * @returns The finding; or the number of points in chunks that are not stored, if no point has a label.
 * @throws The first error, if no point has a label.
 */
async function firstLabel(
  volume: GrapheneVolume | PrecomputedVolume,
  points: Vec3[],
  { resolution, mip }: Scale,
  signal: AbortSignal | undefined,
): Promise<Finding | number> {
  const options = { resolution, mip, onError: 'status', signal } as const;
  const at = (index: number): string => `[${formatVec3(points[index])}] of mip ${mip}`;
  if (!isGrapheneVolume(volume)) {
    const rows = [...(await volume.scatteredPoints(points, options)).rows()];
    const found = rows.find(
      ({ status, values }) => status === 'ok' && values.some((value) => Number(value) !== 0),
    );
    throwFailure(found, rows);
    return found ? ok('look-up', `${found.values.join(', ')} at ${at(found.index)}`) : countMissing(rows);
  }
  const rows = [...(await volume.scatteredPoints(points, options)).rows()];
  const found =
    rows.find(({ status }) => status === 'ok') ??
    rows.find(({ status }) => ['suspect', 'no_root', 'stale_supervoxel'].includes(status));
  throwFailure(found, rows);
  if (!found) return countMissing(rows);
  const said = `supervoxel ${found.supervoxelId} at ${at(found.index)}`;
  if (found.status === 'ok') return ok('look-up', `${said} has root ${found.rootId}`);
  if (found.status === 'no_root')
    return warn('look-up', `${said} has no root now`, "is this watershed the graph's own?");
  if (found.status === 'stale_supervoxel')
    return warn(
      'look-up',
      `${said} was split, and is out of date`,
      'these voxels are older than the graph: read them from the OCDBT that its info names',
    );
  return warn(
    'look-up',
    `${said} does not belong to the graph chunk there`,
    "is this watershed the graph's own?",
  );
}

const countMissing = (rows: readonly { status: string }[]): number =>
  rows.filter(({ status }) => status === 'missing_chunk').length;

function throwFailure(found: unknown, rows: readonly { error?: Error }[]): void {
  const error = found ? undefined : rows.find((row) => row.error)?.error;
  if (error) throw error;
}

const aroundMiddle = (scale: Scale): Vec3[] =>
  grid(scale, (axis, fraction) => scale.size[axis] / 2 + fraction * scale.chunkSize[axis]);
const throughout = (scale: Scale): Vec3[] => grid(scale, (axis, fraction) => scale.size[axis] * fraction, 1);

/** Returns 27 voxels inside the volume, the middle one first. */
function grid(
  { size, voxelOffset }: Scale,
  place: (axis: number, fraction: number) => number,
  round: 0 | 1 = 0,
): Vec3[] {
  const along = [0, 1, 2].map((axis) =>
    ROUNDS[round].map(
      (fraction) =>
        voxelOffset[axis] + Math.min(Math.max(Math.floor(place(axis, fraction)), 0), size[axis] - 1),
    ),
  );
  const voxels = along[2].flatMap((z) => along[1].flatMap((y) => along[0].map((x): Vec3 => [x, y, z])));
  return [voxels[13], ...voxels.slice(0, 13), ...voxels.slice(14)];
}
