import { describe, expect, test } from '@jest/globals';
import type { Vec3 } from '../../../lib/base/vec3.ts';
import type { VolumeInfo } from '../../../lib/precomputed/volume-info.ts';
import { parseInfo } from '../../../lib/precomputed/volume-info.ts';
import { describeDataset, type TransformDataset } from '../../../lib/serve/transform/transform-dataset.ts';

/** An info of scales with these resolutions. */
const info = (
  resolutions: Vec3[],
  more: Record<string, unknown> = {},
  size = [1000, 1000, 100],
): VolumeInfo =>
  parseInfo(
    {
      type: 'segmentation',
      data_type: 'uint64',
      num_channels: 1,
      scales: resolutions.map((resolution, mip) => ({
        key: `s${mip}`,
        resolution,
        size,
        voxel_offset: [0, 0, 0],
        chunk_sizes: [[64, 64, 64]],
        encoding: 'raw',
      })),
      ...more,
    },
    'mem://x',
  );
const FLYWIRE: Vec3[] = [
  [16, 16, 40],
  [32, 32, 40],
  [64, 64, 80],
];

describe('a dataset of the transform service', () => {
  test('has the unit and the mips of its volume', () =>
    expect(describeDataset('mine', info(FLYWIRE))).toEqual({
      voxelSize: [16, 16, 40],
      dtype: 'uint64',
      mips: new Map([
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
      isLarge: false,
    }));

  test.each([
    ['flywire_190410', FLYWIRE, [4, 4, 40], [2, 3, 4]],
    [
      'fafb-ffn1-20200412',
      [
        [4, 4, 40],
        [8, 8, 40],
        [16, 16, 40],
        [32, 32, 80],
      ],
      [4, 4, 40],
      [0, 1, 2, 3],
    ],
    [
      'fanc_v4',
      [
        [17.2, 17.2, 45],
        [34.4, 34.4, 45],
      ],
      [4.3, 4.3, 45],
      [2, 3],
    ],
    [
      'fanc_v4',
      [
        [4.3, 4.3, 45],
        [8.6, 8.6, 45],
      ],
      [4.3, 4.3, 45],
      [0, 1],
    ],
    ['banc_v1', [[16, 16, 45]], [4, 4, 45], [2]],
  ] as [string, Vec3[], Vec3, number[]][])(
    'has the unit that clients know by its name: %s of %j',
    (name, resolutions, voxelSize, numbers) => {
      const dataset = describeDataset(name, info(resolutions));
      expect(dataset).toMatchObject({ voxelSize, dtype: 'uint64' });
      expect([...(dataset as TransformDataset).mips]).toEqual(numbers.map((number, mip) => [number, mip]));
    },
  );

  test('takes another unit, and leaves out scales that do not double it', () =>
    expect(
      describeDataset(
        'mine',
        info([
          [8, 8, 40],
          [24, 24, 40],
          [32, 32, 40],
        ]),
        [4, 4, 40],
      ),
    ).toMatchObject({
      voxelSize: [4, 4, 40],
      mips: new Map([
        [1, 0],
        [3, 2],
      ]),
    }));

  test('has the type of its volume, and 8 bytes where clients know its name', () => {
    const of = (name: string) => describeDataset(name, info([[4, 4, 40]], { data_type: 'uint32' }));
    expect(of('mine')).toMatchObject({ dtype: 'uint32' });
    expect(of('flywire_190410')).toMatchObject({ dtype: 'uint64' });
    expect(of('wclee_aedes_brain')).toMatchObject({ dtype: 'uint64', voxelSize: [4, 4, 40] });
  });

  test('has no unit that clients would not expect', () => {
    for (const resolution of [
      [5, 5, 40],
      [2, 2, 40],
      [16, 8, 40],
      [16, 16, 50],
    ] as Vec3[])
      expect(describeDataset('flywire_190410', info([resolution]))).toContain('4 × 4 × 40 nm');
  });

  test.each(['__proto__', 'constructor', 'toString'])('knows nothing by the name %s', (name) =>
    expect(describeDataset(name, info([[8, 8, 40]], { data_type: 'uint16' }))).toMatchObject({
      dtype: 'uint16',
      voxelSize: [8, 8, 40],
    }),
  );

  test.each([
    [{ type: 'image', data_type: 'uint8' }, 'an image of 1 channel of uint8'],
    [{ num_channels: 2 }, 'a segmentation of 2 channels of uint64'],
    [{ data_type: 'int32' }, 'a segmentation of 1 channel of int32'],
  ])('is none without labels: %j', (more, reason) =>
    expect(describeDataset('mine', info(FLYWIRE, more))).toContain(reason),
  );

  test.each([
    [[2 ** 24 + 1, 8, 8], [8, 8, 40], undefined, false],
    [[2 ** 24 + 2, 8, 8], [8, 8, 40], undefined, true],
    [[2 ** 22, 8, 8], [16, 16, 40], [4, 4, 40], false],
    [[2 ** 22 + 2, 8, 8], [16, 16, 40], [4, 4, 40], true],
  ] as [number[], Vec3, Vec3 | undefined, boolean][])(
    'is large if float32 does not hold all its positions: %j voxels of %j nm in units of %j',
    (size, resolution, unit, isLarge) =>
      expect(describeDataset('mine', info([resolution], {}, size), unit)).toMatchObject({ isLarge }),
  );
});
