/** An unusable scale does not prevent reading the other scales of a volume. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGraphene, openPrecomputed } from '../../lib/index.ts';
import { serveMocks } from '../../mocks/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { GRAPH_INFO, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { tinyFiles, tinyInfo, type TinyVolume } from '../../testing/tiny-volume.ts';

const VOLUME: TinyVolume = {
  size: [4, 4, 4],
  chunkSize: [4, 4, 4],
  voxelOffset: [0, 0, 0],
  labelAt: () => 2n ** 60n + 3n,
};
const GOOD = tinyInfo(VOLUME).scales[0];
const BAD: Record<string, [scale: unknown, words: string]> = {
  'a key that leaves its folder': [{ ...GOOD, key: '../base/s0' }, 'does not stay below'],
  'an empty key': [{ ...GOOD, key: '' }, 'scales[1].key'],
  'a size of 0 voxels': [{ ...GOOD, size: [0, 4, 4] }, 'scales[1].size'],
  'a size of two numbers': [{ ...GOOD, size: [4, 4] }, 'scales[1].size'],
  'chunks too large for memory': [
    { ...GOOD, size: [1e6, 1e6, 1e6], chunk_sizes: [[1e6, 1e6, 1e6]] },
    'are supported',
  ],
  'no block size': [
    { ...GOOD, encoding: 'compressed_segmentation' },
    'needs compressed_segmentation_block_size',
  ],
  'blocks that are too large': [
    { ...GOOD, encoding: 'compressed_segmentation', compressed_segmentation_block_size: [1e6, 8, 8] },
    'blocks of',
  ],
  'no resolution': [{ ...GOOD, resolution: undefined }, 'scales[1].resolution'],
  'two chunk sizes and shards': [
    {
      ...GOOD,
      chunk_sizes: [
        [4, 4, 4],
        [2, 2, 2],
      ],
      sharding: {},
    },
    'one chunk size',
  ],
  'no fields': [null, 'scales[1]'],
};

let folder: string;
async function volumeWith(name: string, info: object): Promise<string> {
  const files = { ...tinyFiles(VOLUME), info: Buffer.from(JSON.stringify(info)) };
  for (const [key, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name, key)), { recursive: true });
    await writeFile(join(folder, name, key), bytes);
  }
  return join(folder, name);
}
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'scales-'))));
afterAll(() => rm(folder, { recursive: true }));

describe.each(Object.keys(BAD))('a scale with %s', (what) => {
  const [scale, words] = BAD[what];
  const error = { name: 'InfoError', message: expect.stringContaining(words) };

  test('is refused when it is read, and the other scales can be read', async () => {
    const path = await volumeWith('second', { ...tinyInfo(VOLUME), scales: [GOOD, scale] });
    await using volume = await openPrecomputed(path);
    expect((await volume.scatteredPoints([[1, 2, 3]])).values[0]).toBe(2n ** 60n + 3n);
    expect(volume.scales.map((one) => one.error?.name)).toEqual([undefined, 'InfoError']);
    await expect(
      volume.scatteredPoints([[1, 2, 3]], { mip: 1, resolution: [8, 8, 40] }),
    ).rejects.toMatchObject(error);
    await expect(openPrecomputed(path, { mip: 1 })).rejects.toMatchObject(error);
    expect(() => volume.bounds(1)).toThrow(expect.objectContaining(error));
  });

  test('is shown by info, and does not stop doctor from reading the other scales', async () => {
    const path = await volumeWith('first', { ...tinyInfo(VOLUME), scales: [scale, GOOD] });
    const { code, stdout } = await runCli(['info', path]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('cannot be read: ')]);
    expect(JSON.parse((await runCli(['info', path, '--json'])).stdout)).toMatchObject({
      scales: [{ error: expect.any(String) }, { key: 's0', bounds: { max: [4, 4, 4] } }],
    });
    expect((await runCli(['doctor', path])).stdout).toMatch(
      /ok +look-up +1152921504606846979 at .* of mip 1/,
    );
    await using volume = await openPrecomputed(path);
    expect((await volume.scatteredPoints([[8, 16, 120]], { mip: 1, resolution: [1, 1, 1] })).values[0]).toBe(
      2n ** 60n + 3n,
    );
    await expect(volume.scatteredPoints([[1, 2, 3]])).rejects.toMatchObject({ name: 'InfoError' });
  });

  test('is an error at opening when it is the only scale', async () => {
    const path = await volumeWith('only', { ...tinyInfo(VOLUME), scales: [scale] });
    await expect(openPrecomputed(path)).rejects.toMatchObject({
      name: 'InfoError',
      message: expect.stringContaining(words.replace('[1]', '[0]')),
    });
  });
});

test('coordinates in voxels of mip 0 need only the resolution of mip 0', async () => {
  const path = await volumeWith('units', { ...tinyInfo(VOLUME), scales: [{ ...GOOD, key: '../x' }, GOOD] });
  await using volume = await openPrecomputed(path);
  expect((await volume.scatteredPoints([[1, 2, 3]], { mip: 1 })).values[0]).toBe(2n ** 60n + 3n);
  const mute = await volumeWith('mute', {
    ...tinyInfo(VOLUME),
    scales: [{ ...GOOD, resolution: 'x' }, GOOD],
  });
  await using other = await openPrecomputed(mute);
  await expect(other.scatteredPoints([[1, 2, 3]], { mip: 1 })).rejects.toMatchObject({
    name: 'InfoError',
    message: expect.stringContaining('scales[0].resolution'),
  });
});

test("the scale of the graph's mip is checked at opening", async () => {
  const serve = (scales: unknown[]) =>
    serveMocks({
      '/segmentation': worldGraph({ info: { ...GRAPH_INFO, scales } }),
      '/bucket': worldBucket(),
    });
  const [own] = GRAPH_INFO.scales;
  const bad = await serve([{ ...own, key: '../x' }, own]),
    good = await serve([own, { ...own, size: 'x' }]);
  const open = (url: string) => openGraphene(`graphene://${url}/segmentation/table/world`, { token: null });
  await expect(open(bad.url)).rejects.toMatchObject({
    name: 'InfoError',
    message: expect.stringContaining('does not stay below'),
  });
  await using volume = await open(good.url);
  expect([...(await volume.scatteredPoints([[17, 8, 4]])).rows()][0].status).toBe('ok');
  await Promise.all([bad.close(), good.close()]);
});

test.each(['Segmentation', 'SEGMENTATION', 'segmentation'])('the type may be spelled %s', async (type) => {
  await using volume = await openPrecomputed(
    await volumeWith('type', { ...tinyInfo(VOLUME), type, data_type: 'UINT64' }),
  );
  expect(volume.type).toBe('segmentation');
});

describe('doctor', () => {
  test('distinguishes missing chunks from background', async () => {
    const empty = await volumeWith('empty', tinyInfo(VOLUME));
    await rm(join(empty, 's0'), { recursive: true });
    expect((await runCli(['doctor', empty])).stdout).toMatch(
      /warn +look-up +nothing is stored at 54 voxels.*none of the requested chunks was found/,
    );
    const background = await volumeWith('background', tinyInfo(VOLUME));
    await writeFile(join(background, 's0/0-4_0-4_0-4'), new Uint8Array(8 * 64));
    expect((await runCli(['doctor', background])).stdout).toMatch(
      /warn +look-up +only background at 54 voxels/,
    );
  });
});
