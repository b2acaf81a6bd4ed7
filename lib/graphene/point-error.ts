/** The error of a look-up of one point or one ID that has no answer. */
import { PointError, type PointErrorCode } from '../base/errors.ts';

/** Creates a PointError whose code is the status in upper case. @param what Names the point or ID. */
export function createPointError(
  what: string,
  status: string,
  cause: Error | undefined,
  timestamp: Date | undefined,
): PointError {
  const why: Record<string, string> = {
    out_of_bounds: 'is outside the volume',
    missing_chunk: 'is in a chunk that is not stored',
    invalid_point: 'has a coordinate that is not a finite number',
    no_root: `has no root at ${timestamp?.toISOString()}`,
    stale_supervoxel: `has a supervoxel that was split, so it has no valid root at ${timestamp?.toISOString()}: read its voxel again`,
    failed: `could not be read: ${cause?.message}`,
    root_failed: `has a supervoxel but its root could not be looked up: ${cause?.message}`,
    not_looked_up: 'is already at or above the stop layer: it was not sent to the server and may not exist',
  };
  return new PointError(
    status.toUpperCase() as PointErrorCode,
    `${what} ${why[status] ?? status}`,
    cause && { cause },
  );
}
