import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache } from '../../lib/cache/disk-cache.ts';
import { hashOf } from '../../lib/cache/pack-record.ts';
import { runCli } from './run-cli.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-cache-'))));
afterEach(() => rm(folder, { recursive: true }));

const cache = async (action: string) => {
  const { code, stdout, stderr } = await runCli(['cache', action, folder]);
  return [code, stdout.replace(join(folder, 'chunks-v3'), 'HERE'), stderr];
};

test('graphene-points cache counts, checks and deletes', async () => {
  expect(await cache('stats')).toEqual([0, 'HERE: 0 entries, 0 MiB\n', '']);
  const disk = new DiskCache({ folder });
  for (const key of ['a', 'b']) await disk.put(key, { bytes: new Uint8Array(2 ** 20), validator: undefined });
  const { file, offset } = (await new CacheFolder(folder, 1).index.find(hashOf('b'), 0))!;
  await truncate(file, offset);
  expect(await cache('stats')).toEqual([
    0,
    expect.stringMatching(/^HERE: 2 entries, 1 MiB, least recently used 20\d\d-.*Z\n$/),
    '',
  ]);
  expect(await cache('verify')).toEqual([0, 'HERE: 2 entries, 1 damaged and deleted\n', '']);
  expect(await cache('verify')).toEqual([0, 'HERE: 1 entry, 0 damaged\n', '']);
  expect(await cache('clear')).toEqual([0, 'HERE: deleted 1 entry, 1 MiB\n', '']);
  expect(await cache('stats')).toEqual([0, 'HERE: 0 entries, 0 MiB\n', '']);
});

test('graphene-points cache refuses other actions', async () => {
  expect((await runCli(['cache', 'burn', folder])).code).toBe(2);
});
