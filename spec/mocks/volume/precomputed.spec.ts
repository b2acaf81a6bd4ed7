/**
 * Reads volumes of the builder with the SDK. CloudVolume and TensorStore read the same volumes in the
 * interoperability run.
 */
import { describe, expect, test } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import { memoryBucket, openPrecomputed } from '../../../lib/index.ts';
import { buildPrecomputed, type BuiltPrecomputed } from '../../../mocks/volume/precomputed.ts';
import { BUILT_CASES } from '../../../testing/built-volumes.ts';
import { thrownBy } from '../../support/thrown-by.ts';

let volumes = 0;

async function readBack({
  info,
  files,
  valueAt,
}: BuiltPrecomputed): Promise<{ got: (bigint | number)[]; expected: (bigint | number)[] }> {
  const name = `built-${volumes++}`;
  for (const [key, { bytes, contentEncoding }] of Object.entries(files))
    memoryBucket(name).put(key, bytes, contentEncoding);
  await using volume = await openPrecomputed(`mem://${name}`);
  const got: (bigint | number)[] = [],
    expected: (bigint | number)[] = [];
  for (const [mip, { size, voxel_offset: first, resolution }] of info.scales.entries()) {
    const voxels: [number, number, number][] = [];
    for (let z = 0; z < size[2]; z++)
      for (let y = 0; y < size[1]; y++)
        for (let x = 0; x < size[0]; x++) voxels.push([first[0] + x, first[1] + y, first[2] + z]);
    const { values } = await volume.scatteredPoints(voxels, { mip, resolution: [...resolution] });
    got.push(...values);
    for (const voxel of voxels)
      for (let channel = 0; channel < info.num_channels; channel++)
        expected.push(valueAt(voxel, { mip, channel })!);
  }
  return { got, expected };
}

describe('buildPrecomputed', () => {
  test.each(BUILT_CASES)('writes volumes that are read correctly: $name', async ({ options }) => {
    const { got, expected } = await readBack(buildPrecomputed(options));
    // toEqual would take a second for so many values
    const wrong = got.findIndex((value, k) => String(value) !== String(expected[k]));
    expect({ wrong, got: got[wrong], count: got.length }).toEqual({
      wrong: -1,
      got: undefined,
      count: expected.length,
    });
    expect(new Set(expected).size).toBeGreaterThan(8);
  });

  test('uses the first voxel of mip 0 for each voxel of mip 1, which covers all of mip 0', () => {
    const { info, valueAt } = buildPrecomputed({
      labels: (x, y, z) => BigInt(100 * z + 10 * y + x),
      size: [4, 3, 2],
      voxelOffset: [3, 2, 1],
      mips: 3,
      resolution: [4, 4, 40],
    });
    expect(info.scales.map(({ key, size, voxel_offset: offset }) => [key, size, offset])).toEqual([
      ['4_4_40', [4, 3, 2], [3, 2, 1]],
      ['8_8_40', [3, 2, 2], [1, 1, 1]],
      ['16_16_40', [2, 2, 2], [0, 0, 1]],
    ]);
    expect([
      valueAt([2, 2, 1], { mip: 1 }),
      valueAt([1, 1, 2], { mip: 1 }),
      valueAt([3, 1, 1], { mip: 1 }),
    ]).toEqual([144n, 223n, 126n]); // x 2 is before the volume, so x 3 is used
    expect([valueAt([0, 1, 1], { mip: 1 }), valueAt([7, 2, 1]), valueAt([6, 4, 2])]).toEqual([
      undefined,
      undefined,
      246n,
    ]);
  });

  test('stores a chunk of an array byte for byte, x fastest', () => {
    const { files } = buildPrecomputed({
      labels: BigUint64Array.from({ length: 12 }, (_, k) => 2n ** 63n + BigInt(k)),
      size: [3, 2, 2],
      chunkSize: [2, 2, 1],
      voxelOffset: [10, 0, 0],
      resolution: [1, 1, 1],
    });
    expect(Object.keys(files)).toEqual([
      'info',
      '1_1_1/10-12_0-2_0-1',
      '1_1_1/12-13_0-2_0-1',
      '1_1_1/10-12_0-2_1-2',
      '1_1_1/12-13_0-2_1-2',
    ]);
    expect(
      [...new BigUint64Array(files['1_1_1/10-12_0-2_1-2'].bytes.slice().buffer)].map((id) => id - 2n ** 63n),
    ).toEqual([6n, 7n, 9n, 10n]);
  });

  test('leaves out empty chunks with skipEmpty', () => {
    const labels = (x: number): bigint => (x < 4 ? 0n : 1n);
    const keys = (skipEmpty: boolean): string[] =>
      Object.keys(buildPrecomputed({ labels, size: [8, 2, 2], chunkSize: [4, 4, 4], skipEmpty }).files);
    expect(keys(true)).toEqual(['info', '8_8_40/4-8_0-2_0-2']);
    expect(keys(false)).toHaveLength(3);
  });

  test('names the bitstream of each chunk, and leaves the info plain', () => {
    const { files } = buildPrecomputed({ labels: () => 7n, size: [2, 1, 1], bitstream: 'gzip' });
    expect(files.info.contentEncoding).toBeUndefined();
    const { bytes, contentEncoding } = files['8_8_40/0-2_0-1_0-1'];
    expect([contentEncoding, gunzipSync(bytes).toString('hex')]).toEqual([
      'gzip',
      '07000000000000000700000000000000',
    ]);
  });

  test.each([
    {
      name: 'too few labels',
      options: { labels: new Uint8Array(7), size: [2, 2, 2] },
      error: RangeError,
      says: '7 labels for 2 x 2 x 2 voxels: 8 are needed',
    },
    {
      name: 'a plain array',
      options: { labels: [1n], size: [1, 1, 1] },
      error: TypeError,
      says: 'labels must be a typed array of a volume’s data type, or a function of x, y, z and the channel',
    },
    {
      name: 'a size of 0',
      options: { labels: () => 1n, size: [2, 0, 2] },
      error: RangeError,
      says: 'size 2,0,2, channels 1 and mips 1 must be whole numbers from 1',
    },
    {
      name: 'uint8 as compressed_segmentation',
      options: { labels: new Uint8Array(1), size: [1, 1, 1], encoding: 'compressed_segmentation' },
      error: RangeError,
      says: 'compressed_segmentation cannot hold uint8; it holds uint32, uint64',
    },
    {
      name: 'channels in crackle',
      options: { labels: () => 1n, channels: 2, size: [1, 1, 1], encoding: 'crackle' },
      error: RangeError,
      says: 'crackle holds one channel, not 2',
    },
    {
      name: 'an unknown encoding',
      options: { labels: () => 1n, size: [1, 1, 1], encoding: 'png' as never },
      error: TypeError,
      says: 'encoding png is not one of raw, compressed_segmentation, crackle, compresso',
    },
    {
      name: 'an unknown bitstream',
      options: { labels: () => 1n, size: [1, 1, 1], bitstream: 'xz' as never },
      error: TypeError,
      says: 'bitstream xz is not one of none, gzip, br, zstd',
    },
    {
      name: 'a bitstream around shards',
      options: { labels: () => 1n, size: [1, 1, 1], bitstream: 'br', sharding: true },
      error: RangeError,
      says: 'a sharded volume has no bitstream: set data_encoding of its sharding instead of br',
    },
  ] as const)('refuses $name', ({ options, error, says }) => {
    const thrown = thrownBy(() => buildPrecomputed(options as never));
    expect(thrown).toBeInstanceOf(error);
    expect((thrown as Error).message).toBe(says);
  });
});
