/** Volumes in OCDBT databases that TensorStore wrote: spec/fixtures/ocdbt/README.md. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPrecomputed, resolveVolume, type OpenOptions, type TensorStoreSpec } from '../../lib/index.ts';
import { FileStore } from '../../lib/storage/file-store.ts';
import { memoryBucket } from '../../lib/storage/memory-store.ts';
import { expectedVolume, filesOf, OCDBT_FOLDER } from '../../testing/ocdbt-fixtures.ts';

const { points, versions } = expectedVolume;
const WITH_CHUNKS = versions.slice(1);

const valuesOf = async (path: string | TensorStoreSpec, options?: OpenOptions): Promise<string[]> => {
  await using volume = await openPrecomputed(path, options);
  const { values } = await volume.scatteredPoints(points);
  return Array.from(values as BigUint64Array, String);
};

beforeAll(() => {
  for (const [path, bytes] of filesOf('volume')) memoryBucket('ocdbt').put(path, bytes);
});
afterAll(() => {
  for (const key of memoryBucket('ocdbt').keys()) memoryBucket('ocdbt').delete(key);
});

describe('a volume in a database', () => {
  test.each(WITH_CHUNKS)('is read at generation $generation', async ({ generation, values }) => {
    const base = `mem://ocdbt/volume/`;
    expect(await valuesOf(`${base}|ocdbt:@v${generation}/seg/ws/|neuroglancer-precomputed:`)).toEqual(values);
    const file: TensorStoreSpec = { driver: 'file', path: `${OCDBT_FOLDER}/volume` };
    const spec: TensorStoreSpec = {
      driver: 'neuroglancer_precomputed',
      kvstore: { driver: 'ocdbt', base: file, version: generation, path: 'seg' },
      path: 'ws/',
    };
    expect(await valuesOf(spec)).toEqual(values);
    expect(await valuesOf(JSON.stringify(spec))).toEqual(values);
  });

  test.each(WITH_CHUNKS)('is read at the time of generation $generation', async (version) => {
    const { commitTimeNs, values } = version,
      ms = new Date(Number(BigInt(commitTimeNs) / 1_000_000n)).toISOString().slice(0, 19),
      time = `${ms}.${commitTimeNs.slice(-9)}Z`;
    expect(await valuesOf(`${OCDBT_FOLDER}/volume/|ocdbt:@${time}/seg/ws`)).toEqual(values);
  });

  test('is read at the latest generation, and stays there', async () => {
    await using volume = await openPrecomputed(`mem://ocdbt/volume/|ocdbt:seg/ws`);
    expect(volume.generation).toBe(versions.at(-1)!.generation);
    const { values } = await volume.scatteredPoints(points);
    expect(Array.from(values as BigUint64Array, String)).toEqual(versions.at(-1)!.values);
  });

  test('has a description that names the generation', async () => {
    const description = await resolveVolume('mem://ocdbt/volume/|ocdbt:seg/ws');
    expect(description.bucket.path).toBe(`mem://ocdbt/volume/|ocdbt:@v${versions.at(-1)!.generation}/seg/ws`);
    await using volume = await openPrecomputed(description as never);
    const { values } = await volume.scatteredPoints(points);
    expect(Array.from(values as BigUint64Array, String)).toEqual(versions.at(-1)!.values);
  });

  test('is read from a store of the caller', async () => {
    const storage = new FileStore(`${OCDBT_FOLDER}/volume`),
      { generation, values } = versions.at(-2)!;
    expect(await valuesOf(`any://place/|ocdbt:@v${generation}/seg/ws`, { storage })).toEqual(values);
  });

  test.each([
    ['mem://ocdbt/volume/|ocdbt:@v99/seg/ws', 'NOT_FOUND', 'has no version 99; its latest is 5'],
    [
      'mem://ocdbt/volume/|ocdbt:@1999-01-01T00:00:00Z/seg/ws',
      'NOT_FOUND',
      'version at 1999-01-01T00:00:00Z',
    ],
    ['mem://ocdbt/nowhere/|ocdbt:seg/ws', 'NOT_FOUND', 'no manifest.ocdbt'],
    ['mem://ocdbt/volume/|ocdbt:seg/misspelt', 'NOT_FOUND', 'no info at'],
  ])('%s is %s', async (path, code, words) => {
    await expect(openPrecomputed(path)).rejects.toMatchObject({
      name: 'InfoError',
      code,
      message: expect.stringContaining(words),
    });
  });

  test('does not send a token to several hosts', async () => {
    const layers = [{ base: 'https://a.example/db/' }, { base: 'https://b.example/db/', prefix: 'd/' }];
    const spec = { driver: 'ocdbt', base: { driver: 'kvstack', layers } };
    await expect(openPrecomputed(spec, { storage: { token: 'secret-of-a' } })).rejects.toMatchObject({
      name: 'PathError',
      code: 'INSECURE_TOKEN',
    });
  });
});
