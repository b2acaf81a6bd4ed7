import { describe, expect, test } from '@jest/globals';
import { openGraphene } from '../../../lib/index.ts';
import { serveDemo } from '../../../mocks/index.ts';
import { formatBounds, clipToVolume } from '../../../lib/chunkedgraph/api/box.ts';
import type { GraphGrid } from '../../../lib/chunkedgraph/api/check-arguments.ts';

const grid: GraphGrid = { bounds: { min: [0, 0, 0], max: [1000, 1000, 1000] }, resolution: [4.28, 1.1, 0.1] };

describe('clipToVolume', () => {
  test.each<[what: string, min: number[], max: number[], resolution: number[] | undefined, text: string]>([
    ['whole voxels', [1, 2, 3], [4, 5, 6], undefined, '1-4_2-5_3-6'],
    [
      'parts of voxels, as the voxels that they touch',
      [1.5, 2.5, 3.5],
      [3.5, 4.5, 5.5],
      undefined,
      '1-4_2-5_3-6',
    ],
    [
      'nanometres at the borders of voxels, exactly',
      [535, 3.3, 0.3],
      [1070, 6.6, 0.7],
      [1, 1, 1],
      '125-250_3-6_3-7',
    ],
    [
      'nanometres next to the borders, as the voxel that they touch',
      [534.9, 3.2, 0.29],
      [1070.1, 6.7, 0.71],
      [1, 1, 1],
      '124-251_2-7_2-8',
    ],
    ['units of many voxels', [1, 1, 1], [3, 3, 7], [12.84, 3.3, 0.3], '3-9_3-9_3-21'],
  ])('accepts %s', (_what, min, max, resolution, text) =>
    expect(formatBounds(clipToVolume({ min, max, resolution }, grid)!)).toBe(text),
  );
});

test('a root is in every box that touches the volume, whatever chunk position its ID has', async () => {
  const served = await serveDemo();
  const volume = await openGraphene(served.cloudPath, { token: null, timestamp: '2024-06-05' });
  try {
    const root = await volume.rootAt([140, 116, 29]);
    const whole = volume.bounds();
    for (const stopLayer of [1, 2, volume.graph.nLayers]) {
      const leaves = (await volume.graph.leaves(root, { stopLayer })).sort();
      expect(leaves.length).toBeGreaterThan(0);
      expect((await volume.graph.leaves(root, { stopLayer, bounds: whole })).sort()).toEqual(leaves);
      expect((await volume.graph.leavesMany([root], { stopLayer, bounds: whole })).get(root)!.sort()).toEqual(
        leaves,
      );
    }
  } finally {
    await volume.close();
    await served.close();
  }
});
