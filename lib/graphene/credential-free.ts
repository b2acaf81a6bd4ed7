/** Checks that the voxels of a volume are readable without credentials. For a service that shows them to anybody. */
import type { Vec3 } from '../base/vec3.ts';
import type { GrapheneVolume } from './graphene-volume.ts';
import { partsOf, type PrecomputedVolume } from './precomputed-volume.ts';
import { parseKvPath } from './resolve/kv-path.ts';
import { plainPathsOf } from './resolve/kv-node.ts';
import { MIDDLEAUTH } from './resolve/open-bucket.ts';

/** Points per axis of the sample. */
const SAMPLES = 3;

/**
 * Says why a volume is not known to be readable without credentials; undefined if it is. It looks at what the volume
 * was opened with, which must be `storage.credentials: 'anonymous'`, and reads voxels at points all over the volume.
 */
export async function findCredentials(
  volume: GrapheneVolume | PrecomputedVolume,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { bucket } = partsOf(volume),
    paths = plainPathsOf(parseKvPath(bucket.path));
  if (bucket.graphToken || paths.some((path) => MIDDLEAUTH.test(path)))
    return 'its bucket is behind a log-in, and is read with a token';
  if (bucket.wants.length > 0) return `its bucket is read with storage.${bucket.wants[0]}`;
  if (paths.some(hasSecret)) return 'the path of its bucket has a user, a password or a query';
  if (paths.some((path) => /^(gs|s3):/.test(path)) && bucket.storage.credentials !== 'anonymous')
    return 'its bucket may be read with credentials of this machine';
  return readSample(volume, signal);
}

function hasSecret(path: string): boolean {
  const url = /^https?:/i.test(path) && URL.canParse(path) ? new URL(path) : undefined;
  return url !== undefined && (url.username !== '' || url.password !== '' || url.search !== '');
}

/** Reads voxels of a coarse grid. A chunk that a bucket does not show may be missing, but not every one. */
async function readSample(
  volume: GrapheneVolume | PrecomputedVolume,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { min, max } = volume.bounds(0),
    points: Vec3[] = [];
  const at = (axis: number, step: number): number =>
    Math.floor(min[axis] + ((max[axis] - min[axis]) * (step + 0.5)) / SAMPLES);
  for (let x = 0; x < SAMPLES; x++)
    for (let y = 0; y < SAMPLES; y++)
      for (let z = 0; z < SAMPLES; z++) points.push([at(0, x), at(1, y), at(2, z)]);
  // Voxels of mip 0, whatever unit the volume was opened with.
  const [finest] = volume.scales,
    options = { resolution: finest.resolution, onError: 'status', signal } as const;
  const result = await ('graph' in volume
    ? volume.scatteredPoints(points, { ...options, agglomerate: false })
    : volume.scatteredPoints(points, options));
  for (const { status, error } of result.rows())
    if (status === 'failed') return `it cannot be read without credentials: ${error?.message ?? ''}`;
  const { stats } = result;
  return stats.chunks > 0 && stats.absentBy403 === stats.chunks
    ? 'its bucket shows none of its chunks without credentials (status 403)'
    : undefined;
}
