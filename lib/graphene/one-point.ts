/** The answer of a look-up of one point: its IDs, or an error. */
import type { Logger } from '../base/logger.ts';
import { formatVec3 } from '../base/vec3.ts';
import type { PointSource } from '../points/point-input.ts';
import type { PointsResult, Row, SupervoxelResult } from '../points/result.ts';
import { createPointError } from './point-error.ts';

/**
 * Returns the answer of a call with one point; 0n on background. Warns about a suspect supervoxel.
 * @throws PointError if there is no answer.
 */
export function answerOfPoint(
  result: PointsResult | SupervoxelResult,
  point: PointSource,
  logger: Logger,
): { supervoxelId: bigint; rootId: bigint } {
  const [row] = result.rows() as IterableIterator<Row & { supervoxelId: bigint; rootId?: bigint }>;
  const xyz = new Float64Array(3);
  point.read(0, xyz);
  const { supervoxelId, rootId = 0n, status, error } = row,
    timestamp = 'timestamp' in result ? result.timestamp : undefined,
    name = `point [${formatVec3(xyz)}]`,
    nameWithId = `${name} (supervoxel ${supervoxelId})`;
  if (status === 'suspect') {
    logger.warn(`${name}: supervoxel ${supervoxelId} does not belong to the graph chunk of the point`);
    // 0n means background, so a suspect supervoxel without a root is an error.
    if (timestamp && rootId === 0n) throw createPointError(nameWithId, 'no_root', undefined, timestamp);
  } else if (status !== 'ok' && status !== 'background')
    throw createPointError(NAMES_SUPERVOXEL.has(status) ? nameWithId : name, status, error, timestamp);
  return { supervoxelId, rootId };
}

/** Statuses of points whose supervoxel is known. */
const NAMES_SUPERVOXEL = new Set(['no_root', 'root_failed', 'stale_supervoxel']);
