import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cellBounds, cellPosition, cellSize, chunkKey, gridShape } from '../../lib/precomputed/grid.ts';
import { parseInfo, type Scale } from '../../lib/precomputed/volume-info.ts';
import { fixtureVolumes, loadFixture } from '../../testing/fixtures.ts';

const scale: Pick<Scale, 'key' | 'size' | 'chunkSize' | 'voxelOffset'> = {
  key: '8_8_40',
  size: [100, 64, 33],
  chunkSize: [64, 32, 16],
  voxelOffset: [-10, 7, 0],
};

describe('the grid', () => {
  test('has enough cells for the volume, the last ones clipped', () =>
    expect(gridShape(scale)).toEqual([2, 2, 3]));

  test.each<[cell: number, position: number[], min: number[], max: number[], key: string]>([
    [0, [0, 0, 0], [-10, 7, 0], [54, 39, 16], '8_8_40/-10-54_7-39_0-16'],
    [1, [1, 0, 0], [54, 7, 0], [90, 39, 16], '8_8_40/54-90_7-39_0-16'],
    [2, [0, 1, 0], [-10, 39, 0], [54, 71, 16], '8_8_40/-10-54_39-71_0-16'],
    [4, [0, 0, 1], [-10, 7, 16], [54, 39, 32], '8_8_40/-10-54_7-39_16-32'],
    [11, [1, 1, 2], [54, 39, 32], [90, 71, 33], '8_8_40/54-90_39-71_32-33'],
  ])('has cell %d at %p', (cell, position, min, max, key) => {
    expect(cellPosition(scale, cell)).toEqual(position);
    expect(cellBounds(scale, cell)).toEqual({ min, max });
    expect(cellSize(scale, cell)).toEqual(max.map((end, axis) => end - min[axis]));
    expect(chunkKey(scale, cell)).toBe(key);
  });

  test.each<[shape: [number, number, number]]>([
    [[3, 5, 600_479_950_316_066]],
    [[2 ** 31 + 11, 2 ** 21 - 9, 2]],
    [[94_906_265, 94_906_265, 1]],
    [[1, 7, 1_286_742_750_677_284]],
  ])('distinguishes cells near 2^53 in a grid of %p', (shape) => {
    const geometry = { size: shape, chunkSize: [1, 1, 1] as const, voxelOffset: [0, 0, 0] as const };
    const [nx, ny, nz] = shape.map(BigInt);
    for (const z of [nz - 1n, nz / 2n, 0n])
      for (const y of [ny - 1n, ny / 2n, 0n])
        for (const x of [nx - 1n, 0n])
          expect(cellPosition(geometry, Number(x + nx * (y + ny * z)))).toEqual([x, y, z].map(Number));
  });

  test('holds every voxel exactly once', () => {
    const sides = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
    );
    const offsets = fc.tuple(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -9, max: 9 }),
    );
    fc.assert(
      fc.property(sides, sides, offsets, (size, chunkSize, voxelOffset) => {
        const geometry = { key: 'k', size, chunkSize, voxelOffset };
        const [nx, ny, nz] = gridShape(geometry);
        const seen = new Set<string>();
        let voxels = 0;
        for (let cell = 0; cell < nx * ny * nz; cell++) {
          const { min, max } = cellBounds(geometry, cell);
          for (let z = min[2]; z < max[2]; z++)
            for (let y = min[1]; y < max[1]; y++)
              for (let x = min[0]; x < max[0]; x++, voxels++) seen.add([x, y, z].join());
          for (const axis of [0, 1, 2]) {
            expect(max[axis] - min[axis]).toBeGreaterThan(0);
            expect(max[axis] - min[axis]).toBeLessThanOrEqual(chunkSize[axis]);
          }
        }
        expect([voxels, seen.size]).toEqual([size[0] * size[1] * size[2], size[0] * size[1] * size[2]]);
        for (const axis of [0, 1, 2]) {
          const along = [...seen].map((voxel) => Number(voxel.split(',')[axis]));
          expect([Math.min(...along), Math.max(...along)]).toEqual([
            voxelOffset[axis],
            voxelOffset[axis] + size[axis] - 1,
          ]);
        }
      }),
      { seed: 10, numRuns: 60 },
    );
  });

  test('is exact for cells beyond 2^32', () => {
    const large = {
      key: 'k',
      size: [2 ** 20, 2 ** 20, 2 ** 12] as const,
      chunkSize: [1, 1, 1] as const,
      voxelOffset: [0, 0, 0] as const,
    };
    expect(cellPosition(large, 2 ** 52 - 1)).toEqual([2 ** 20 - 1, 2 ** 20 - 1, 2 ** 12 - 1]);
    expect(cellPosition(large, 2 ** 40 + 2 ** 21 + 5)).toEqual([5, 2, 1]);
    expect(chunkKey(large, 2 ** 40)).toBe('k/0-1_0-1_1-2');
  });

  // The chunks as CloudVolume named them. Some fixtures omit chunks on purpose.
  test.each(fixtureVolumes({ sharded: false }))('names the files of $name', ({ name }) => {
    const { folder, info } = loadFixture(name);
    for (const one of parseInfo(info, 'u').scales) {
      if (!existsSync(join(folder, one.key))) continue;
      const [nx, ny, nz] = gridShape(one);
      const keys = new Set(Array.from({ length: nx * ny * nz }, (_, cell) => chunkKey(one, cell)));
      const stored = readdirSync(join(folder, one.key)).map(
        (file) => `${one.key}/${file.replace(/\.(gz|br|zstd)$/, '')}`,
      );
      expect(stored.filter((key) => !keys.has(key))).toEqual([]);
      expect(stored.length).toBeGreaterThan(0);
    }
  });
});
