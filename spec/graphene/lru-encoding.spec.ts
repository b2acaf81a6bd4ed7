import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openGraphene, openPrecomputed } from '../../lib/graphene/open-and-resolve.ts';
import type { OpenOptions } from '../../lib/graphene/option-types.ts';
import { fixtureVolumes, loadFixture, VOLUMES_FOLDER } from '../../testing/fixtures.ts';

const reencoded = { lruBytes: 10e6, lruEncoding: 'compressed_segmentation' } as const;

describe('lruEncoding', () => {
  const fixtures = fixtureVolumes({
    encodings: ['raw', 'compressed_segmentation', 'crackle'],
    prefix: ['seg_raw', 'seg_cseg_u64_b842', 'seg_crackle_u64_gzip', 'img_raw', 'shard_raw'],
  });
  test.each(fixtures.map(({ name }) => name))('changes no answer of %s, read or cached', async (name) => {
    const { points } = loadFixture(name).scales[0];
    await using same = await openPrecomputed(join(VOLUMES_FOLDER, name));
    await using kept = await openPrecomputed(join(VOLUMES_FOLDER, name), reencoded);
    const want = await same.scatteredPoints(points);
    const cold = await kept.scatteredPoints(points),
      warm = await kept.scatteredPoints(points);
    for (const { values, status } of [cold, warm])
      expect([values, status]).toEqual([want.values, want.status]);
    expect(cold.stats).toMatchObject({ cacheHits: 0 });
    expect(warm.stats.cacheHits).toBeGreaterThan(0);
  });

  test('keeps more chunks in the same bytes', async () => {
    const {
      scales: [{ points }],
      info,
    } = loadFixture('seg_raw_u64_gzip');
    const [x, y, z] = info.scales[0].chunk_sizes[0];
    const requests = async (options: OpenOptions): Promise<number> => {
      await using volume = await openPrecomputed(join(VOLUMES_FOLDER, 'seg_raw_u64_gzip'), {
        ...options,
        lruBytes: 2 * 8 * x * y * z,
      });
      await volume.scatteredPoints(points);
      return (await volume.scatteredPoints(points)).stats.requests;
    };
    expect(await requests({ lruEncoding: 'compressed_segmentation' })).toBe(0);
    expect(await requests({ lruEncoding: 'same' })).toBeGreaterThan(0);
    expect(await requests({})).toBeGreaterThan(0);
  });

  const impossible = [
    ['raw', '"raw"'],
    ['', '""'],
    [null, 'null'],
    [1, '1'],
  ] as const;
  test.each(impossible)('cannot be %j', async (lruEncoding, shown) => {
    const message = `lruEncoding is 'same', 'compressed_segmentation' or 'decoded', not ${shown}`;
    const options = { lruEncoding: lruEncoding as 'same' };
    await expect(openPrecomputed('mem://v', options)).rejects.toEqual(new TypeError(message));
    await expect(
      openGraphene('graphene://https://example.org/segmentation/table/t', options),
    ).rejects.toEqual(new TypeError(message));
  });
});
