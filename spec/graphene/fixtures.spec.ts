/**
 * Every fixture volume that this version supports, over file:// and over HTTP, compared with CloudVolume's
 * answers.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGraphene, openPrecomputed, PointStatus, type PrecomputedVolume } from '../../lib/index.ts';
import {
  createMockBucket,
  createMockChunkedGraph,
  serveMocks,
  type MockChunkedGraphOptions,
  type ServedMocks,
} from '../../mocks/index.ts';
import { expectedAnswers, shownAnswers } from '../../testing/fixture-answers.ts';
import { fixtureVolumes, loadFixture, VOLUMES_FOLDER, type Fixture } from '../../testing/fixtures.ts';

const quiet = { logger: { warn: () => undefined } };
let served: ServedMocks;
const bucket = createMockBucket({ folder: VOLUMES_FOLDER });
/** A bucket that does not support ranges. */
const deaf = createMockBucket({ folder: VOLUMES_FOLDER, faults: [{ match: /./, ignoreRange: true }] });
const graphName = 'graphene_cseg_u64';
const graphFixture = loadFixture(graphName);
const graphOf = (name: string) =>
  createMockChunkedGraph({
    ...(loadFixture(name).graph as unknown as MockChunkedGraphOptions),
    table: name,
    dataDir: `{HOST}/volumes/${name}`,
  });

beforeAll(
  async () =>
    void (served = await serveMocks({
      '/volumes': bucket,
      '/deaf': deaf,
      '/segmentation': graphOf(graphName),
    })),
);
afterAll(() => served.close());

const isLossless = new Map(fixtureVolumes().map(({ name, lossless }) => [name, lossless]));
/** Returns `expected` for a number that is near it. */
const withTolerance = (value: string, expected: string, most: number): string =>
  Math.abs(Number(value) - Number(expected)) <= most ? expected : value;

async function check(volume: PrecomputedVolume, fixture: Fixture): Promise<number> {
  let checked = 0;
  for (const scale of fixture.scales) {
    const { resolution } = volume.scales[scale.mip];
    const result = await volume.scatteredPoints(scale.points, { mip: scale.mip, resolution });
    const shown = shownAnswers(result.rows()),
      expected = expectedAnswers(scale, volume.dataType);
    // Another version of libjxl decodes lossy images slightly differently.
    const isLossyJxl = fixture.info.scales[scale.mip].encoding === 'jxl' && !isLossless.get(fixture.name);
    expect(isLossyJxl ? shown.map((value, i) => withTolerance(value, expected[i], 1)) : shown).toEqual(
      expected,
    );
    checked += scale.points.length;
  }
  return checked;
}

describe('fixtures', () => {
  const fixtures = fixtureVolumes();

  test.each(fixtures.map(({ name }) => name))(
    '%s gives the same values as CloudVolume, from disk and over HTTP',
    async (name) => {
      const fixture = loadFixture(name);
      await using local = await openPrecomputed(join(VOLUMES_FOLDER, name), quiet);
      await using file = await openPrecomputed(`precomputed://file://${join(VOLUMES_FOLDER, name)}`, {
        ...quiet,
        lruBytes: 1e6,
      });
      await using http = await openPrecomputed(`${served.url}/volumes/${name}/`, quiet);
      for (const volume of [local, file, http])
        expect(await check(volume, fixture)).toBeGreaterThanOrEqual(200);
    },
  );

  test.each(fixtureVolumes({ sharded: true }).map(({ name }) => name))(
    '%s gives the same values when the server ignores ranges, and each shard is read once',
    async (name) => {
      await using volume = await openPrecomputed(`${served.url}/deaf/${name}/`, quiet);
      deaf.log.clear();
      const fixture = loadFixture(name);
      expect(await check(volume, { ...fixture, scales: fixture.scales.slice(0, 1) })).toBeGreaterThanOrEqual(
        200,
      );
      const requested = deaf.log.requests.map(({ path }) => path);
      expect(requested).toEqual([...new Set(requested)]);
    },
  );

  // The second counts graph chunks from voxel 0, not from the voxel offset. They are larger than the volume's
  // chunks.
  test.each([graphName, 'graphene_crackle_u64_origin'])(
    "%s gives the supervoxels and roots of CloudVolume's graphene client, and none is suspect",
    async (name) => {
      const mocks = await serveMocks({ '/volumes': bucket, '/segmentation': graphOf(name) });
      try {
        await using volume = await openGraphene(`graphene://${mocks.url}/segmentation/table/${name}`, {
          token: null,
          ...quiet,
        });
        const [{ points, values, roots }] = loadFixture(name).scales;
        const result = await volume.scatteredPoints(points);
        for (const [i, { status, supervoxelId, rootId }] of [...result.rows()].entries()) {
          if (values[i] === null) expect([i, status]).toEqual([i, 'out_of_bounds']);
          else
            expect([i, String(supervoxelId), String(rootId), status]).toEqual([
              i,
              values[i],
              roots![i],
              values[i] === '0' ? 'background' : 'ok',
            ]);
        }
        expect(result.status).not.toContain(PointStatus.suspect);
      } finally {
        await mocks.close();
      }
    },
  );

  test('coordinates in another resolution address the same voxel as in CloudVolume', async () => {
    await using volume = await openGraphene(`graphene://${served.url}/segmentation/table/${graphName}`, {
      token: null,
      ...quiet,
    });
    const { resolution, queries } = graphFixture.coordResolution!;
    const { supervoxelIds } = await volume.scatteredPoints(
      queries.map(({ point }) => point),
      { resolution },
    );
    expect(Array.from(supervoxelIds, String)).toEqual(queries.map(({ value }) => value));
  });
});
