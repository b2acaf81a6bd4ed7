// Compiled against the packed package, to check that its types resolve.
import {
  isLookupError,
  openGraphene,
  openPrecomputed,
  PartialResultError,
  type PointsResult,
} from 'graphene-points';
import { createMockBucket, createMockChunkedGraph, serveMocks } from 'graphene-points/mocks';

export async function typed(): Promise<bigint> {
  await using volume = await openGraphene('graphene://https://example.org/segmentation/table/t', {
    resolution: [4, 4, 40],
    lruBytes: 200e6,
  });
  const result: PointsResult = await volume
    .at('2024-06-05T10:10:01.203Z')
    .scatteredPoints([[1, 2, 3]], { onError: 'status' });
  for (const row of result.rows()) if (row.status !== 'ok') console.warn(row.index, row.error?.message);
  const plain = await openPrecomputed('mem://volume');
  const { values } = await plain.scatteredPoints(new Float64Array(3));
  if (values.length > 1) throw new PartialResultError('', result, new Map());
  return volume.rootOf(result.supervoxelIds[0]);
}

export const failedRows = (error: unknown): number =>
  isLookupError(error, 'PARTIAL') ? error.result.status.length : 0;

export const exported = [createMockBucket, createMockChunkedGraph, serveMocks];
