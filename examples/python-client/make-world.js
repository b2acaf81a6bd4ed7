// Writes world/volume and world/graph.json: two neurons, x below and above 20. A proofreader merges them at
// 10:10.
import { buildWorld, writeWorld } from 'graphene-points/mocks';

const world = buildWorld({
  labels: (x) => (x < 20 ? 1n : 2n),
  size: [40, 20, 10],
  chunkSize: [16, 16, 10],
  encoding: 'compressed_segmentation',
  bitstream: 'gzip',
  table: 'neurons',
  edits: [
    {
      timestamp: '2024-06-05T10:10:00Z',
      merge: [
        [19, 5, 5],
        [20, 5, 5],
      ],
    },
  ],
});
writeWorld('world', world);
