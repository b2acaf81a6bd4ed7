// Compiled against the packed package, to check that its types resolve.
import { createReadStream, createWriteStream } from 'node:fs';
import {
  isLookupError,
  lookupTable,
  type LookupTableOptions,
  openGraphene,
  openPrecomputed,
  PartialResultError,
  type PointsResult,
  type TableSummary,
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
  const [first = 0n] = result.supervoxelIds;
  return volume.rootOf(first);
}

export async function streamed(): Promise<number> {
  await using volume = await openGraphene('cave://minnie65_public', { rootCache: true });
  const batches = [
    { name: 'a', points: [[1, 2, 3]] },
    { name: 'b', points: [[4, 5, 6]] },
  ];
  let roots = 0;
  for await (const { batch, rootIds, status } of volume.lookupStream(batches, { onError: 'status' }))
    if (batch.name === 'a' && status[0] === 1) roots += rootIds.length;
  for await (const { supervoxelIds } of volume.lookupStream([[1, 2, 3]] as const, { agglomerate: false }))
    roots += supervoxelIds.length;
  const plain = await openPrecomputed('mem://volume');
  for await (const { values } of plain.lookupStream([new Float64Array(3)])) roots += values.length;
  const options: LookupTableOptions = {
    volume,
    also: [
      { name: 'em', volume: plain },
      { name: 'other', volume: 'gs://BUCKET/PATH' },
    ],
    open: { lruBytes: 200e6 },
    position: ['pre_pt_position', 'post_pt_position'],
    timestamp: 'mat_943',
    maxFailures: '0.1%',
    onProgress: ({ pass, fraction }) => console.warn(pass, fraction),
  };
  const summary: TableSummary = await lookupTable('synapses.parquet', 'gs://BUCKET/roots.parquet', options);
  const body = (await fetch('https://example.org/points.csv')).body;
  if (body) await lookupTable(body, new WritableStream<Uint8Array>(), { volume, format: 'csv' });
  await lookupTable(createReadStream('a.csv'), createWriteStream('b.csv'), { volume: plain, format: 'csv' });
  return roots + (summary.statuses['ok'] ?? 0) + (summary.also?.['em']?.stats.points ?? 0);
}

export const failedRows = (error: unknown): number =>
  isLookupError(error, 'PARTIAL') ? error.result.status.length : 0;

export const exported = [createMockBucket, createMockChunkedGraph, serveMocks];
