import type { ChunkError } from '../../lib/base/errors.ts';
import { createErrorLookup } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import type { ChunkFailure } from '../../lib/points/read-points.ts';

/** Returns why a point failed, in a call of fewer than 100,000 points. */
export const errorOfPoint = (failures: readonly ChunkFailure[], index: number): ChunkError | undefined =>
  createErrorLookup(failures, new Uint8Array(100_000).fill(PointStatus.failed))(index);
