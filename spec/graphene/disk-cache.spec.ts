/** `cacheDir` through the SDK: what is asked of the bucket, and what is not. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { cacheStats } from '../../lib/cache/upkeep.ts';
import { openPrecomputed } from '../../lib/graphene/open.ts';
import type { OpenOptions } from '../../lib/graphene/options.ts';
import { createMockBucket, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { fixtureVolumes, loadFixture, VOLUMES_FOLDER } from '../support/fixtures.ts';

let cacheDir: string;
let served: ServedMocks | undefined;
beforeEach(async () => void (cacheDir = await mkdtemp(join(tmpdir(), 'gp-cache-'))));
afterEach(async () => {
  await served?.close();
  served = undefined;
  await rm(cacheDir, { recursive: true });
});

/** A served fixture; `ask` opens it afresh each time, as another process would. */
async function serve(name: string, files: Record<string, Uint8Array> = {}) {
  const bucket = createMockBucket({ folder: join(VOLUMES_FOLDER, name), files });
  served = await serveMocks({ '/bucket': bucket });
  const { points } = loadFixture(name).scales[0];
  const path = `${served.url}/bucket`;
  return {
    bucket, files, points, path,
    ask: async (options: Partial<OpenOptions> = {}) => {
      bucket.log.requests.length = 0;
      await using volume = await openPrecomputed(path, { cacheDir, retries: 0, logger: { warn: () => undefined }, ...options });
      const { values, status, stats } = await volume.scatteredPoints(points, { onError: 'status' });
      return { values, status, stats, asked: bucket.log.requests.map(({ path }) => path).filter((asked) => !asked.endsWith('/info')) };
    },
  };
}

async function entryFiles(): Promise<string[]> {
  const root = join(cacheDir, 'chunks-v1');
  const found = await readdir(root, { recursive: true });
  return found.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => join(root, name));
}

describe('cacheDir', () => {
  const volumes = fixtureVolumes({ encodings: ['raw', 'compressed_segmentation', 'crackle', 'compresso'], prefix: ['seg_raw', 'seg_cseg_u64_gzip', 'seg_crackle_u64_gzip', 'seg_compresso', 'img_raw', 'shard_'] });
  test.each(volumes.map(({ name }) => name))('answers %s from the disk as from the bucket, without a request for a chunk', async (name) => {
    const { ask } = await serve(name);
    const plain = await ask({ cacheDir: undefined });
    const cold = await ask(), warm = await ask();
    for (const { values, status } of [cold, warm]) expect([values, status]).toEqual([plain.values, plain.status]);
    expect(cold.asked.length).toBeGreaterThan(0);
    expect(cold.stats.cacheHits).toBe(0);
    expect(warm.asked).toEqual([]);
    expect(warm.stats).toMatchObject({ requests: 0, bytes: 0, cacheHits: warm.stats.chunks });
  });

  test.each([['same'], ['compressed_segmentation']] as const)('fills the LRU (%s) and is filled beside it', async (lruEncoding) => {
    const { ask, points, bucket, path } = await serve('seg_raw_u64_gzip');
    const plain = await ask({ cacheDir: undefined });
    for (const round of ['cold', 'from disk']) {
      bucket.log.requests.length = 0;
      await using volume = await openPrecomputed(path, { cacheDir, lruBytes: 10e6, lruEncoding });
      for (const where of [round, 'from memory']) expect([where, (await volume.scatteredPoints(points)).values]).toEqual([where, plain.values]);
      expect(bucket.log.requests.filter(({ path }) => !path.endsWith('/info')).length > 0).toBe(round === 'cold');
    }
  });

  test('does not use what another reader may see', async () => {
    const { ask } = await serve('seg_cseg_u64_gzip');
    const first = await ask({ storage: { token: 's3cr3t-one' } });
    for (const storage of [{ token: 's3cr3t-two' }, { headers: { 'x-key': 's3cr3t-one' } }, undefined]) expect((await ask({ storage })).asked.sort()).toEqual([...first.asked].sort());
    expect((await ask({ storage: { token: 's3cr3t-one' } })).asked).toEqual([]);
    for (const file of await entryFiles()) expect((await readFile(file)).includes('s3cr3t')).toBe(false);
  });

  test('takes a damaged entry for none', async () => {
    const { ask } = await serve('seg_cseg_u64_gzip');
    const cold = await ask();
    const files = await entryFiles();
    expect(files.length).toBe(cold.stats.chunks);
    for (const file of files) {
      const bytes = await readFile(file);
      bytes[bytes.length - 1] ^= 1;
      await writeFile(file, bytes);
    }
    const again = await ask();
    expect([again.values, [...again.asked].sort()]).toEqual([cold.values, [...cold.asked].sort()]);
    expect((await ask()).asked).toEqual([]);
  });

  test('does not keep a chunk that could not be read or decoded', async () => {
    const { ask, bucket } = await serve('seg_cseg_u64_gzip');
    bucket.faults.push({ match: /\d+-\d+_/, status: 500 });
    expect(new Set((await ask()).status)).toEqual(new Set([8, 3]));
    bucket.faults.length = 0;
    bucket.faults.push({ match: /\d+-\d+_/, body: new Uint8Array(64).fill(255) });
    expect((await ask()).status).toContain(8);
    bucket.faults.length = 0;
    expect((await cacheStats(cacheDir)).entries).toBe(0);
    const good = await ask();
    expect([good.asked.length, good.values]).toEqual([good.stats.chunks, (await ask({ cacheDir: undefined })).values]);
  });

  test('keeps for ten minutes that a chunk is not stored', async () => {
    const { ask, bucket } = await serve('seg_cseg_u64_gzip');
    bucket.faults.push({ match: /\d+-\d+_/, status: 404 });
    const absent = await ask();
    bucket.faults.length = 0;
    expect(await ask()).toMatchObject({ asked: [], status: absent.status });
    expect((await ask({ revalidate: 'always' })).asked.length).toBe(absent.stats.chunks);
    await rm(cacheDir, { recursive: true });
    bucket.faults.push({ match: /\d+-\d+_/, status: 404 });
    await ask();
    bucket.faults.length = 0;
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 600_001);
    try {
      expect((await ask()).asked.length).toBe(absent.stats.chunks);
    } finally {
      jest.restoreAllMocks();
    }
  });

  describe('revalidate', () => {
    const changed = async (name: string, files: Record<string, Uint8Array>): Promise<void> => {
      const info = JSON.parse(await readFile(join(VOLUMES_FOLDER, name, 'info'), 'utf8')) as { scales: { voxel_offset?: number[]; note?: string }[] };
      info.scales[0].note = 'changed';
      files.info = Buffer.from(JSON.stringify(info));
    };

    test.each([['info', true], ['never', false]] as const)('%s: a volume whose info changed is read again: %p', async (revalidate, again) => {
      const { ask, files } = await serve('seg_cseg_u64_gzip');
      await ask({ revalidate });
      await changed('seg_cseg_u64_gzip', files);
      expect((await ask({ revalidate })).asked.length > 0).toBe(again);
    });

    test.each(['seg_cseg_u64_gzip', 'shard_cseg_u64_murmur'])('always: asks of each object whether it is the same, %s', async (name) => {
      const { ask, bucket } = await serve(name);
      const cold = await ask({ revalidate: 'always' });
      const warm = await ask({ revalidate: 'always' });
      expect(warm.values).toEqual(cold.values);
      expect(warm.stats.bytes).toBe(0);
      expect(warm.asked.length).toBeLessThanOrEqual(cold.asked.length);
      expect(bucket.log.requests.filter(({ path }) => !path.endsWith('/info')).map(({ status }) => status)).toEqual(warm.asked.map(() => 304));
    });

    test('always: reads an object again that is another one', async () => {
      const { ask, files } = await serve('seg_raw_u64_gzip');
      const cold = await ask({ revalidate: 'always' });
      const key = cold.asked[0].slice(1);
      files[key] = new Uint8Array(8 * loadFixture('seg_raw_u64_gzip').info.scales[0].chunk_sizes[0].reduce((a, b) => a * b)); // all background, if the chunk is whole
      const again = await ask({ revalidate: 'always' });
      expect(again.asked.filter((path) => path === cold.asked[0])).toHaveLength(2);
      expect(again.values).not.toEqual(cold.values);
    });
  });

  test.each([[{ cacheDir: '' }, /^cacheDir is the path of a folder/], [{ cacheDir: 5 as never }, /^cacheDir/], [{ revalidate: 'sometimes' as 'info' }, /^revalidate is 'never', 'info' or 'always', not "sometimes"$/], [{ cacheBytes: 0 }, /^cacheBytes/]])('refuses %j', async (options, message) => {
    await expect(openPrecomputed('https://example.org', options)).rejects.toThrow(message);
  });
});
