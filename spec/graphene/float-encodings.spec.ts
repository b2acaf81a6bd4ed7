/** Volumes of fpzip and kempressed with several channels, sharded or not, over file:// and HTTP. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPrecomputed } from '../../lib/graphene/open-and-resolve.ts';
import type { OpenOptions } from '../../lib/graphene/option-types.ts';
import { parseSharding } from '../../lib/precomputed/sharding.ts';
import { createMockBucket, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { writeShards } from '../../mocks/volume/shards.ts';
import { fpzipCases, type FpzipCase } from '../support/fpzip-cases.ts';

const sharding = {
  '@type': 'neuroglancer_uint64_sharded_v1',
  hash: 'identity',
  preshift_bits: 0,
  minishard_bits: 0,
  shard_bits: 0,
  minishard_index_encoding: 'gzip',
  data_encoding: 'gzip',
};

/** A volume of one chunk. */
function filesOf({ encoding, layout, stream }: FpzipCase, isSharded: boolean): Record<string, Uint8Array> {
  const [x, y, z] = layout.chunkSize;
  const info = {
    type: 'image',
    data_type: layout.dataType,
    num_channels: layout.channels,
    scales: [
      {
        key: 's',
        encoding,
        resolution: [4, 4, 40],
        size: layout.chunkSize,
        chunk_sizes: [layout.chunkSize],
        voxel_offset: [10, 20, 30],
        ...(isSharded && { sharding }),
      },
    ],
  };
  const spec = parseSharding(sharding, 'the spec', 'mem://v');
  const chunks: Iterable<readonly [string, Uint8Array]> = isSharded
    ? writeShards([{ position: [0, 0, 0], bytes: stream }], [1, 1, 1], spec)
    : [[`10-${10 + x}_20-${20 + y}_30-${30 + z}`, stream]];
  return {
    info: Buffer.from(JSON.stringify(info)),
    ...Object.fromEntries(Array.from(chunks, ([name, bytes]) => [`s/${name}`, bytes])),
  };
}

const cases = fpzipCases();
const chosen = (['fpzip', 'kempressed'] as const).flatMap((encoding) =>
  (['float32', 'float64'] as const).map(
    (dataType) =>
      cases
        .filter(
          (known) =>
            known.encoding === encoding && known.layout.dataType === dataType && known.layout.channels > 1,
        )
        .sort((a, b) => b.raw.length - a.raw.length)[0],
  ),
);
const volumes = chosen.flatMap((chunk, k) =>
  [false, true].map((isSharded) => ({
    path: `${k}${isSharded ? '-sharded' : ''}`,
    chunk,
    isSharded,
    name: chunk.name,
  })),
);
let folder: string, served: ServedMocks;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp-floats-'));
  for (const { path, chunk, isSharded } of volumes)
    for (const [key, bytes] of Object.entries(filesOf(chunk, isSharded))) {
      await mkdir(dirname(join(folder, path, key)), { recursive: true });
      await writeFile(join(folder, path, key), bytes);
    }
  served = await serveMocks({ '/v': createMockBucket({ folder }) });
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

describe('a float volume', () => {
  test.each(volumes)(
    'gives every channel over file:// and HTTP, from each cache: $name, sharded $isSharded',
    async ({ path, chunk }) => {
      const { chunkSize, channels, dataType } = chunk.layout;
      const [sx, sy, sz] = chunkSize,
        width = dataType === 'float32' ? 4 : 8;
      const points: [number, number, number][] = [],
        expected: Uint8Array[] = [];
      for (let z = sz - 1; z >= 0; z--)
        for (let y = 0; y < sy; y += 2)
          for (let x = sx - 1; x >= 0; x--) {
            points.push([10 + x, 20 + y, 30 + z]);
            for (let channel = 0; channel < channels; channel++) {
              const at = width * (x + sx * (y + sy * (z + sz * channel)));
              expected.push(chunk.raw.subarray(at, at + width));
            }
          }
      const variants: OpenOptions[] = [{}, { lruBytes: 1e6 }, { lruBytes: 1e6, lruEncoding: 'decoded' }];
      for (const base of [`file://${folder}`, `${served.url}/v`])
        for (const options of variants) {
          await using volume = await openPrecomputed(`${base}/${path}`, options);
          for (let again = 0; again < 2; again++) {
            const { values, status } = await volume.scatteredPoints(points);
            expect(Buffer.compare(new Uint8Array(values.buffer), Buffer.concat(expected))).toBe(0);
            expect(new Set(status)).toEqual(new Set([1]));
          }
        }
    },
  );
});
