/** Reads values between voxels: the voxels around each point, each chunk once, and their weighted mean. */
import { deadlineReason } from '../base/deadline.ts';
import { InfoError } from '../base/errors.ts';
import type { CooperativeRunner } from '../base/cooperative-work.ts';
import type { ChunkReader } from '../chunks/chunk-reader.ts';
import { DATA_TYPES, wordsView } from '../precomputed/data-type.ts';
import { finestResolution, type Scale, type VolumeInfo } from '../precomputed/volume-info.ts';
import { planLinearInSteps } from './linear-plan.ts';
import { combineLinear, failuresOfPoints } from './linear-values.ts';
import { warnOfMisses, warnOfMissingChunks } from './miss-warnings.ts';
import { noPlan, planInTime } from './plan-in-time.ts';
import type { PointSource } from './point-input.ts';
import type { PointQuery, PointValues } from './point-query.ts';
import { readPoints, type ReadRequest } from './read-points.ts';
import { PointStatus } from './status.ts';

/** The volume and the scale that are read. */
export interface LinearReading {
  info: VolumeInfo;
  scale: Scale;
  /** Where the chunks of the scale are, for warnings. */
  url: string;
  reading: Pick<ReadRequest, 'source' | 'codec' | 'layoutOf'>;
  chunks: ChunkReader;
  runner: CooperativeRunner;
}

/** Up to this many points are planned without a pause. Each has up to eight voxels. */
const AT_ONCE_POINTS = 2 ** 12;

/** Returns why values of a volume cannot be interpolated; undefined if they can. */
export const reasonNotInterpolated = ({
  type,
  dataType,
}: Pick<VolumeInfo, 'type' | 'dataType'>): string | undefined =>
  type === 'segmentation' && !dataType.startsWith('float')
    ? "interpolate: 'linear' is for images and floats: the values of a segmentation are IDs, and the mean of two IDs is the ID of something else"
    : undefined;

/** @throws InfoError UNSUPPORTED if values of the volume cannot be interpolated. */
export function checkInterpolation(
  info: Pick<VolumeInfo, 'type' | 'dataType'>,
  how: string | undefined,
): void {
  const reason = how === 'linear' ? reasonNotInterpolated(info) : undefined;
  if (reason !== undefined) throw new InfoError('UNSUPPORTED', reason);
}

/**
 * Reads the values at the places of points, trilinear between the voxels around them. Up to 4096 points
 * register their chunks before the first await.
 * @throws As `PointReader.read`.
 */
export async function readLinear(
  { info, scale, url, reading, chunks, runner }: LinearReading,
  source: PointSource,
  { resolution = finestResolution(info.scales), signal, onProgress, warn }: PointQuery,
): Promise<PointValues> {
  const startedAt = performance.now();
  const channels = info.numChannels,
    status = new Uint8Array(source.count),
    values = new Float64Array(source.count * channels);
  const planning = planInTime({
    work: planLinearInSteps(source, scale, resolution, status),
    none: { voxels: noPlan(), counts: new Uint8Array(0), fractions: new Float64Array(0) },
    status,
    url: reading.source.id,
    runner,
    signal,
    atOnce: AT_ONCE_POINTS,
  });
  const { plan, deadlineError } = planning instanceof Promise ? await planning : planning;
  const plannedAt = performance.now();
  const { voxels } = plan,
    voxelStatus = new Uint8Array(voxels.order.length).fill(PointStatus.failed),
    voxelValues = new DATA_TYPES[info.dataType](voxelStatus.length * channels);
  const { cost, failures: voxelFailures } = await readPoints(chunks, {
    plan: voxels,
    ...reading,
    out: wordsView(voxelValues),
    status: voxelStatus,
    signal,
    onProgress: onProgress && ((progress) => onProgress({ points: source.count, ...progress })),
  });
  await runner.run(combineLinear({ plan, values: voxelValues, voxelStatus, channels, out: values, status }));
  const failures = await runner.run(failuresOfPoints(plan, voxelFailures));
  if (deadlineError) failures.push({ error: deadlineError, points: undefined });
  if (warn && !deadlineReason(signal)) {
    await runner.run(warnOfMisses(status, scale, resolution, warn));
    await runner.run(warnOfMissingChunks(voxelStatus, voxels, url, warn));
  }
  const done = performance.now();
  const stats = {
    points: source.count,
    ...cost,
    chunks: voxels.cells.length,
    rootRequests: 0,
    distinctSupervoxels: 0,
    ms: { plan: plannedAt - startedAt, chunks: done - plannedAt, roots: 0, total: done - startedAt },
  };
  return { values, status, failures, stats, plan: voxels, scale };
}
