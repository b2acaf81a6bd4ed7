import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  openGraphene,
  openPrecomputed,
  PartialResultError,
  PointStatus,
  readMany,
  type GrapheneVolume,
  type PointInput,
  type PrecomputedVolume,
  type ReadManyOptions,
  type Store,
} from '../../lib/index.ts';
import {
  buildPrecomputed,
  createMockBucket,
  createMockChunkedGraph,
  serveMocks,
  type ServedMocks,
} from '../../mocks/index.ts';
import { loadFixture } from '../../testing/fixtures.ts';

const { ok, background, outOfBounds, failed } = PointStatus;
const fixture = loadFixture('graphene_cseg_u64');
const [scale] = fixture.scales;
const SILENT = { warn: () => undefined };

/** The files of an image of 16 nm voxels whose value is x + 10 y + 100 z. */
const image = buildPrecomputed({
  labels: (x: number, y: number, z: number) => x + 10 * y + 100 * z,
  dataType: 'float32',
  type: 'image',
  size: [8, 8, 4],
  chunkSize: [4, 4, 4],
  resolution: [16, 16, 40],
}).files;

/** A store of those files that counts its reads and can fail. */
function imageStore(fault?: (key: string) => Promise<void> | void): Store & { keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    url: 'store://image',
    async read(key) {
      keys.push(key);
      await fault?.(key);
      const file = image[key];
      return file instanceof Uint8Array
        ? { bytes: file, contentEncoding: undefined }
        : file && { bytes: file.bytes, contentEncoding: undefined };
    },
  };
}
const openImage = (fault?: (key: string) => Promise<void> | void): Promise<PrecomputedVolume> =>
  openPrecomputed('store://image', { storage: imageStore(fault), retries: 0, logger: SILENT });

let served: ServedMocks, graph: GrapheneVolume, plain: PrecomputedVolume;
beforeAll(async () => {
  served = await serveMocks({
    '/segmentation': createMockChunkedGraph({
      ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
      dataDir: '{HOST}/bucket',
    }),
    '/bucket': createMockBucket({ folder: fixture.folder }),
  });
  graph = await openGraphene(`graphene://${served.url}/segmentation/table/mock`, { logger: SILENT });
  plain = await openPrecomputed(`file://${fixture.folder}`, { logger: SILENT });
});
afterAll(async () => {
  await graph.close();
  await plain.close();
  await served.close();
});

describe('readMany', () => {
  test('gives what each volume gives alone', async () => {
    const em = await openImage();
    const points = [...scale.points, [1, 1, 1], [15.5, 3.25, 2]];
    const { resolution } = fixture.info.scales[0];
    const { volumes, status } = await readMany(
      [
        { name: 'seg', volume: graph, timestamp: '2024-06-06' },
        { name: 'labels', volume: plain },
        { name: 'em', volume: em },
        { name: 'smooth', volume: em, interpolate: 'linear' },
        { name: 'sv', volume: graph, agglomerate: false },
      ],
      points,
      { resolution },
    );
    const alone = await graph.scatteredPoints(points, { resolution, timestamp: '2024-06-06' });
    expect(volumes.seg.rootIds).toEqual(alone.rootIds);
    expect(volumes.seg.status).toEqual(alone.status);
    expect(volumes.seg.timestamp).toEqual(new Date('2024-06-06T00:00:00Z'));
    expect(volumes.sv.supervoxelIds).toEqual(alone.supervoxelIds);
    expect(Object.hasOwn(volumes.sv, 'rootIds')).toBe(false);
    expect(volumes.labels.values).toEqual(alone.supervoxelIds);
    for (const [name, interpolate] of [
      ['em', 'none'],
      ['smooth', 'linear'],
    ] as const)
      // prettier-ignore
      expect(volumes[name].values).toEqual(
        (await em.scatteredPoints(points, { resolution, interpolate })).values,
      );
    expect(Object.keys(volumes)).toEqual(['seg', 'labels', 'em', 'smooth', 'sv']);
    for (const [i, code] of status.entries()) {
      const codes = Object.values(volumes).map((answer) => answer.status[i]);
      expect(code).toBe(codes.find((own) => own !== ok) ?? ok);
    }
    await em.close();
  });

  test('takes the points at once, and lends them with borrow', async () => {
    const em = await openImage();
    const entries = [{ name: 'em', volume: em }] as const;
    const points = Float32Array.of(1, 2, 3);
    const copied = readMany(entries, points);
    points[0] = 7;
    expect([...(await copied).volumes.em.values]).toEqual([321]);
    const moved = new Float32Array(new ArrayBuffer(12));
    const lent = readMany(entries, moved, { borrow: true });
    expect([...(await lent).volumes.em.values]).toEqual([0]);
    await em.close();
  });

  test('shares one result among entries that ask the same, and chunks in flight among calls of a volume', async () => {
    const store = imageStore();
    const em = await openPrecomputed('store://image', { storage: store, logger: SILENT });
    store.keys.length = 0;
    const { volumes } = await readMany(
      [
        { name: 'a', volume: em },
        { name: 'b', volume: em, mip: 0 },
        { name: 'c', volume: em, interpolate: 'linear' },
        { name: 'd', volume: em, interpolate: 'linear' },
      ],
      [
        [1, 1, 1],
        [5.25, 5, 3],
      ],
    );
    expect(store.keys.length).toBe(2);
    expect(volumes.c).toBe(volumes.d);
    expect(volumes.a.values).toEqual(volumes.b.values);
    await em.close();
  });

  test('keeps the failure of one volume to itself', async () => {
    const em = await openImage((key) => {
      if (key !== 'info') throw new Error('the disk is gone');
    });
    const closed = await openImage();
    await closed.close();
    const points = [[1, 1, 1], ...scale.points.slice(0, 4)],
      { resolution } = fixture.info.scales[0];
    const call = readMany(
      [
        { name: 'em', volume: em },
        { name: 'labels', volume: plain },
        { name: 'closed', volume: closed },
        { name: 'mean', volume: plain, interpolate: 'linear' },
        { name: 'graph', volume: graph, mip: 99 },
      ],
      points,
      { resolution },
    );
    const error: PartialResultError<Awaited<typeof call>> = await call.then(
      () => Promise.reject(new Error('it did not throw')),
      (thrown: unknown) => thrown as never,
    );
    expect(error).toBeInstanceOf(PartialResultError);
    expect(error.message).toMatch(/^4 of 5 volumes failed, in part or as a whole: em, closed, mean, graph; /);
    expect([...error.causes.keys()].map((key) => key.split(':')[0])).toEqual(
      expect.arrayContaining(['em', 'closed', 'mean', 'graph']),
    );
    const { volumes, status } = error.result;
    const { values, status: own } = await plain.scatteredPoints(points, { resolution });
    expect(volumes.labels).toMatchObject({ values, status: own });
    expect([...volumes.closed.status]).toEqual(Array(5).fill(failed));
    expect(volumes.closed.error).toMatchObject({ code: 'CLOSED' });
    expect(volumes.mean.error).toMatchObject({ code: 'UNSUPPORTED' });
    expect(volumes.graph.error).toBeInstanceOf(RangeError);
    expect(volumes.graph.rootIds).toEqual(new BigUint64Array(5));
    expect(volumes.em.error).toBeUndefined();
    expect([...status]).toEqual(Array(5).fill(failed));
    const [row] = error.result.rows();
    expect(row).toMatchObject({ index: 0, status: 'failed', volumes: { labels: { index: 0 } } });
    expect(row.error).toBeInstanceOf(Error);
    await em.close();
  });

  test('returns failures in the statuses, on request', async () => {
    const em = await openImage((key) => {
      if (key === '16_16_40/4-8_0-4_0-4') throw new Error('the disk is gone');
    });
    const { volumes, status } = await readMany(
      [
        { name: 'em', volume: em },
        { name: 'none', volume: plain, interpolate: 'linear' },
      ],
      [
        [1, 1, 1],
        [5, 1, 1],
        [9, 1, 1],
      ],
      { resolution: [16, 16, 40], onError: 'status' },
    );
    expect([...volumes.em.status]).toEqual([ok, failed, outOfBounds]);
    expect([...volumes.none.status]).toEqual([failed, failed, failed]);
    expect([...status]).toEqual([failed, failed, failed]);
    await em.close();
  });

  test('shows the status of the first volume that is not ok', async () => {
    const em = await openImage();
    const zero = scale.values.findIndex((value) => value === '0');
    const { status } = await readMany(
      [
        { name: 'seg', volume: plain },
        { name: 'em', volume: em },
      ],
      [scale.points[zero]],
      { resolution: fixture.info.scales[0].resolution },
    );
    expect([...status]).toEqual([background]);
    await em.close();
  });

  test('has one deadline and one abort for all volumes', async () => {
    const held = (key: string): Promise<void> | void => (key === 'info' ? undefined : new Promise(() => {}));
    const [slow, other] = [await openImage(held), await openImage()];
    const entries = [
      { name: 'slow', volume: slow },
      { name: 'other', volume: other },
    ] as const;
    const late = await readMany(entries, [[1, 1, 1]], { timeoutMs: 1, onError: 'status' });
    expect([...late.volumes.slow.status]).toEqual([failed]);
    const [row] = late.volumes.slow.rows();
    expect(row.error).toMatchObject({ code: 'CHUNK_FAILED', cause: { code: 'TIMEOUT' } });
    const abort = new AbortController();
    const call = readMany(entries, [[1, 1, 1]], { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await slow.close();
    await other.close();
  });

  test('reports progress by name, and throws what onProgress threw', async () => {
    const em = await openImage();
    const seen: unknown[] = [];
    const entries = [
      { name: 'em', volume: em },
      { name: 'mean', volume: em, interpolate: 'linear' },
    ] as const;
    await readMany(entries, [[1, 1, 1]], { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual(
      expect.arrayContaining(['em', 'mean'].map((name) => ({ name, points: 1, chunks: 1, chunksDone: 1 }))),
    );
    const call = readMany(entries, [[1, 1, 1]], {
      onProgress: () => {
        throw new Error('no more');
      },
    });
    await expect(call).rejects.toThrow('no more');
    await em.close();
  });

  test('wants to know the unit of the points, if the volumes do not agree', async () => {
    const em = await openImage();
    const entries = [
      { name: 'em', volume: em },
      { name: 'seg', volume: plain },
    ];
    await expect(readMany(entries, [[1, 1, 1]])).rejects.toThrow(
      /^the unit of the points is not clear: em has 16,16,40 nm and seg .* nm; give resolution as three numbers$/,
    );
    await expect(readMany(entries, [[1, 1, 1]], { resolution: 'viewer' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await em.close();
  });

  const named = (name: unknown): unknown => [{ name, volume: plain }];
  test.each<[what: string, entries: unknown, options: unknown, message: RegExp]>([
    ['no list', {}, {}, /^readMany needs a list of volumes/],
    ['no volumes', [], {}, /^readMany needs a list of volumes/],
    ['no name', named(undefined), {}, /^the volume at index 0: its name is not a text/],
    ['an empty name', named(''), {}, /^the volume at index 0: the name of a volume is empty/],
    ['a name with a comma', named('a,b'), {}, /"a,b" cannot be the name of a volume/],
    ['a name with a line end', named('a\n'), {}, /cannot be the name of a volume/],
    ['a name that starts with -', named('-a'), {}, /cannot be the name of a volume/],
    ['no volume', [{ name: 'a', volume: 'gs://b/c' }], {}, /^a is not an open volume/],
    ['an unknown option of a volume', [{ name: 'a', volume: undefined, mipp: 1 }], {}, /^a is not an open/],
    ['an unknown option', named('a'), { mip: 1 }, /^there is no option "mip"/],
  ])('refuses %s', async (_, entries, options, message) => {
    const call = readMany(entries as [], [[1, 1, 1]] as PointInput, options as ReadManyOptions);
    await expect(call).rejects.toThrow(TypeError);
    await expect(call).rejects.toThrow(message);
  });

  test('refuses a name that occurs twice, and options of another kind of volume', async () => {
    const twice = [
      { name: 'a', volume: plain },
      { name: 'a', volume: plain },
    ];
    await expect(readMany(twice, [[1, 1, 1]])).rejects.toThrow('two volumes have the name a');
    const timed = [{ name: 'a', volume: plain, timestamp: 'settled' }];
    await expect(readMany(timed as never, [[1, 1, 1]])).rejects.toThrow('there is no option "timestamp"');
    const proto = await readMany([{ name: '__proto__', volume: plain }], [scale.points[0]]);
    expect(Object.keys(proto.volumes)).toEqual(['__proto__']);
  });
});
