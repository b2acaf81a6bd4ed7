import { describe, expect, test } from '@jest/globals';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { fixtureVolumes, loadFixture } from '../../testing/fixtures.ts';
import { thrownBy } from '../support/thrown-by.ts';

const URL_ = 'https://bucket.example/volume/info';

const scale = {
  key: '8_8_40',
  resolution: [8, 8, 40],
  size: [100, 90, 80],
  voxel_offset: [1, -2, 3],
  chunk_sizes: [[64, 32, 16]],
  encoding: 'raw',
};
const info = { type: 'segmentation', data_type: 'uint64', num_channels: 1, scales: [scale] };
const parse = (part: object = {}) => parseInfo({ ...info, ...part }, URL_);
const parseScale = (part: object) => parse({ scales: [{ ...scale, ...part }] }).scales[0];

describe('parseInfo', () => {
  test('reads an info and ignores unknown fields', () => {
    const extra = {
      '@type': 'neuroglancer_multiscale_volume',
      mesh: 'mesh',
      skeletons: 's',
      provenance: { a: 1 },
      redirect: null,
      graph: {},
    };
    expect(parse({ ...extra, scales: [{ ...scale, hidden: true, locked: false, jpeg_quality: 5 }] })).toEqual(
      {
        type: 'segmentation',
        dataType: 'uint64',
        numChannels: 1,
        scales: [
          {
            mip: 0,
            key: '8_8_40',
            resolution: [8, 8, 40],
            size: [100, 90, 80],
            voxelOffset: [1, -2, 3],
            chunkSize: [64, 32, 16],
            encoding: 'raw',
          },
        ],
      },
    );
  });

  test('numbers the scales from the finest', () => {
    const scales = [
      scale,
      { ...scale, key: '16_16_40', resolution: [16, 16, 40] },
      { ...scale, key: '32_32_80', resolution: [32.5, 32.5, 80] },
    ];
    expect(parse({ scales }).scales.map(({ mip, key, resolution }) => [mip, key, resolution])).toEqual([
      [0, '8_8_40', [8, 8, 40]],
      [1, '16_16_40', [16, 16, 40]],
      [2, '32_32_80', [32.5, 32.5, 80]],
    ]);
  });

  test.each([
    ['missing', {}],
    ['null', { voxel_offset: null }],
  ])('counts from voxel 0 if the offset is %s', (_what, part) => {
    expect(parseScale({ voxel_offset: undefined, ...part }).voxelOffset).toEqual([0, 0, 0]);
  });

  test('uses the first of several chunk sizes', () =>
    expect(
      parseScale({
        chunk_sizes: [
          [7, 8, 9],
          [64, 64, 64],
        ],
      }).chunkSize,
    ).toEqual([7, 8, 9]));

  test('refuses several chunk sizes of a sharded scale, because a chunk ID would be ambiguous', () => {
    const error = thrownBy(() =>
      parseScale({
        chunk_sizes: [
          [7, 8, 9],
          [64, 64, 64],
        ],
        sharding: { '@type': 'neuroglancer_uint64_sharded_v1' },
      }),
    );
    expect(error).toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      message: `scales[0] of the info at ${URL_}: a sharded scale has one chunk size, not 2`,
    });
  });

  test.each([
    'uint8',
    'int8',
    'uint16',
    'int16',
    'uint32',
    'int32',
    'uint64',
    'int64',
    'float32',
    'float64',
    'UINT64',
    'Float32',
  ])('supports the data type %s', (type) =>
    expect(parse({ data_type: type }).dataType).toBe(type.toLowerCase()),
  );

  test('reads images of several channels', () =>
    expect(parse({ type: 'image', data_type: 'uint8', num_channels: 3 })).toMatchObject({
      type: 'image',
      numChannels: 3,
    }));

  test('converts encodings to lower case, and keeps unknown ones', () =>
    expect(
      ['RAW', 'Compressed_Segmentation', 'jpeg', 'of the future'].map(
        (encoding) => parseScale({ encoding, compressed_segmentation_block_size: [8, 8, 8] }).encoding,
      ),
    ).toEqual(['raw', 'compressed_segmentation', 'jpeg', 'of the future']));

  test('keeps the block size of compressed_segmentation', () =>
    expect(
      parseScale({ encoding: 'compressed_segmentation', compressed_segmentation_block_size: [8, 4, 2] })
        .blockSize,
    ).toEqual([8, 4, 2]));

  test.each([
    [{ '@type': 'neuroglancer_uint64_sharded_v1' }, { '@type': 'neuroglancer_uint64_sharded_v1' }],
    [null, undefined],
    [undefined, undefined],
  ])('keeps the sharding member unchanged: %j', (sharding, kept) =>
    expect(parseScale({ sharding }).sharding).toEqual(kept),
  );

  test.each([
    ['8_8_40', '8_8_40'],
    ['./8_8_40', '8_8_40'],
    ['././a/b/', 'a/b'],
    ['a/b/c', 'a/b/c'],
    ['a b', 'a b'],
    ['..a/b..', '..a/b..'],
    ['%2e%2e/x', '%2e%2e/x'],
    ['a?b#c', 'a?b#c'],
  ])('reads the key %s as %s', (key, kept) => expect(parseScale({ key }).key).toBe(kept));

  test.each([
    '..',
    '../x',
    'a/../../x',
    'a/..',
    './../x',
    '/etc',
    '//host/x',
    'a//b',
    'a/./b',
    '.',
    './',
    '/',
    '\\\\host\\x',
    'a\\..\\b',
    'a\0b',
    'https://evil.example/x',
    'gs://bucket/x',
    'FILE:///etc',
  ])('refuses the key %j, which leaves the volume', (key) =>
    expect(thrownBy(() => parseScale({ key }))).toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      url: URL_,
      message: expect.stringMatching(/^scales\[0\] of the info at .* does not stay below/),
    }),
  );

  test.each<[what: string, json: unknown, message: RegExp]>([
    ['null', null, /is not a Precomputed volume/],
    ['a list', [], /is not a Precomputed volume/],
    ['text', '<html>', /is not a Precomputed volume/],
    ['another @type', { ...info, '@type': 'neuroglancer_legacy_mesh' }, /: @type: /],
    ['no type', { ...info, type: undefined }, /: type: /],
    ['another type', { ...info, type: 'annotation' }, /: type: /],
    ['no data type', { ...info, data_type: undefined }, /: data_type: /],
    ['another data type', { ...info, data_type: 'uint128' }, /: data_type: /],
    ['the data type __proto__', { ...info, data_type: '__proto__' }, /: data_type: /],
    ['the data type constructor', { ...info, data_type: 'constructor' }, /: data_type: /],
    ['a data type that is not text', { ...info, data_type: 8 }, /: data_type: /],
    ['no channels', { ...info, num_channels: 0 }, /: num_channels: /],
    ['half a channel', { ...info, num_channels: 1.5 }, /: num_channels: /],
    ['absurdly many channels', { ...info, num_channels: 1e9 }, /: num_channels: /],
    ['no scales', { ...info, scales: [] }, /: scales: /],
    ['scales that are not a list', { ...info, scales: {} }, /: scales: /],
    ['a scale that is null', { ...info, scales: [scale, null] }, /: scales\[1\]: /],
    ...Object.entries({
      'no key': [{ key: undefined }, 'key'],
      'an empty key': [{ key: '' }, 'key'],
      'a key that is not text': [{ key: 5 }, 'key'],
      'no resolution': [{ resolution: undefined }, 'resolution'],
      'a resolution of 0': [{ resolution: [8, 0, 40] }, 'resolution[1]'],
      'a negative resolution': [{ resolution: [8, 8, -40] }, 'resolution[2]'],
      'two axes of resolution': [{ resolution: [8, 8] }, 'resolution'],
      'a resolution as text': [{ resolution: ['8', 8, 40] }, 'resolution[0]'],
      'an infinite resolution': [{ resolution: [8, 8, Infinity] }, 'resolution[2]'],
      'no size': [{ size: undefined }, 'size'],
      'a size of 0': [{ size: [100, 0, 80] }, 'size[1]'],
      'a negative size': [{ size: [-1, 90, 80] }, 'size[0]'],
      'a broken size': [{ size: [100, 90, 80.5] }, 'size[2]'],
      'a size beyond 2^53': [{ size: [1e16, 90, 80] }, 'size[0]'],
      'four axes of size': [{ size: [1, 2, 3, 4] }, 'size'],
      'a broken offset': [{ voxel_offset: [0, 0.5, 0] }, 'voxel_offset[1]'],
      'an offset of two': [{ voxel_offset: [0, 0] }, 'voxel_offset'],
      'an offset beyond 2^53': [{ voxel_offset: [-1e16, 0, 0] }, 'voxel_offset[0]'],
      'no chunk sizes': [{ chunk_sizes: [] }, 'chunk_sizes'],
      'a bare chunk size': [{ chunk_sizes: [64, 64, 64] }, 'chunk_sizes[0]'],
      'a chunk size of 0': [{ chunk_sizes: [[64, 0, 64]] }, 'chunk_sizes[0][1]'],
      'a broken second chunk size': [
        {
          chunk_sizes: [
            [64, 64, 64],
            [1, 2],
          ],
        },
        'chunk_sizes[1]',
      ],
      'no encoding': [{ encoding: undefined }, 'encoding'],
      'an encoding that is not text': [{ encoding: 1 }, 'encoding'],
      'a block size of 0': [
        { encoding: 'compressed_segmentation', compressed_segmentation_block_size: [8, 8, 0] },
        'compressed_segmentation_block_size[2]',
      ],
    } as Record<string, [object, string]>).map(([what, [part, field]]): [string, unknown, RegExp] => [
      what,
      { ...info, scales: [{ ...scale, ...part }] },
      new RegExp(`: scales\\[0\\]\\.${field.replace(/[[\]]/g, '\\$&')}: `),
    ]),
    [
      'compressed_segmentation without a block size',
      { ...info, scales: [{ ...scale, encoding: 'compressed_segmentation' }] },
      /scales\[0\] .* needs compressed_segmentation_block_size/,
    ],
    [
      'COMPRESSED_SEGMENTATION without a block size',
      { ...info, scales: [{ ...scale, encoding: 'COMPRESSED_SEGMENTATION' }] },
      /scales\[0\] .* needs compressed_segmentation_block_size/,
    ],
  ])('refuses %s and names the field', (_what, json, message) => {
    const error = thrownBy(() => {
      // An invalid scale is only returned with its error, as other scales may be valid.
      throw parseInfo(json, URL_).scales.find(({ error }) => error)?.error;
    });
    expect(error).toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      url: URL_,
      message: expect.stringMatching(message),
    });
    expect((error as Error).message).toContain(URL_);
  });

  test.each<[what: string, part: object, message: RegExp]>([
    [
      'chunks of more than 2 GiB',
      { size: [20_000, 20_000, 10], chunk_sizes: [[16_385, 16_384, 1]] },
      /chunks of 16385x16384x1 voxels of 8 bytes are too large; up to 2147483648 bytes/,
    ],
    [
      'chunks whose voxels overflow',
      { size: [2 ** 50, 2 ** 50, 2 ** 50], chunk_sizes: [[2 ** 50, 2 ** 50, 2 ** 50]] },
      /up to 2147483648 bytes are supported/,
    ],
    [
      'more than 2^53 chunks',
      { size: [2 ** 18, 2 ** 18, 2 ** 18], chunk_sizes: [[1, 1, 1]] },
      /more than 2\^53 chunks/,
    ],
  ])('refuses %s', (_what, part, message) =>
    expect(thrownBy(() => parseScale(part))).toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringMatching(message),
    }),
  );

  test.each<[what: string, part: object]>([
    [
      'blocks larger than 64 voxels and the chunk',
      { encoding: 'compressed_segmentation', compressed_segmentation_block_size: [8, 4096, 8] },
    ],
    ['a key with terminal escapes', { key: 's0\u001b[2J' }],
  ])('refuses %s without control characters in the message', (_what, part) => {
    const error = thrownBy(() => parseScale(part));
    expect(error).toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.not.stringMatching(/\p{Cc}/u),
    });
  });

  test('counts only the voxels of a chunk that are inside the volume', () => {
    expect(parseScale({ size: [10, 10, 10], chunk_sizes: [[2048, 2048, 2048]] }).chunkSize).toEqual([
      2048, 2048, 2048,
    ]);
  });

  test('accepts chunks and grids just below the limits', () => {
    expect(parseScale({ size: [20_000, 20_000, 10], chunk_sizes: [[16_384, 16_384, 1]] }).chunkSize).toEqual([
      16_384, 16_384, 1,
    ]);
    expect(parseScale({ size: [2 ** 18, 2 ** 18, 2 ** 16], chunk_sizes: [[1, 1, 1]] }).size).toEqual([
      2 ** 18,
      2 ** 18,
      2 ** 16,
    ]);
  });

  test('ignores a __proto__ member of the JSON', () => {
    const json: unknown = JSON.parse(
      `{"__proto__": {"type": "image", "@type": "evil"}, "constructor": 1, ${JSON.stringify(info).slice(1)}`,
    );
    expect(parseInfo(json, URL_)).toEqual(parse());
    expect(
      thrownBy(() => parseInfo(JSON.parse(`{"__proto__": ${JSON.stringify(info)}}`), URL_)),
    ).toMatchObject({ code: 'BAD_INFO' });
  });

  // These infos were written by CloudVolume.
  test.each(fixtureVolumes())('reads the info of $name', ({ name }) => {
    const { info: json } = loadFixture(name);
    const { scales, dataType } = parseInfo(json, URL_);
    expect(dataType).toBe(json.data_type);
    expect(
      scales.map(({ key, size, voxelOffset, chunkSize, encoding }) => ({
        key,
        size,
        voxelOffset,
        chunkSize,
        encoding,
      })),
    ).toEqual(
      json.scales.map(({ key, size, voxel_offset, chunk_sizes, encoding }) => ({
        key,
        size,
        voxelOffset: voxel_offset,
        chunkSize: chunk_sizes[0],
        encoding,
      })),
    );
  });
});
