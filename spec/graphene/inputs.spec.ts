/**
 * A call uses its input as it was at the call. Each case changes the input right after the call, before it
 * has ended.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  memoryBucket,
  openGraphene,
  openPrecomputed,
  type GrapheneVolume,
  type OpenGrapheneOptions,
  type PointInput,
  type PrecomputedVolume,
} from '../../lib/index.ts';
import {
  buildPrecomputed,
  createMockBucket,
  mockRequest,
  serveMocks,
  type ServedMocks,
} from '../../mocks/index.ts';
import { BEFORE, MERGED_AT, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel, tinyFiles, type TinyVolume } from '../../testing/tiny-volume.ts';

const graph = worldGraph(),
  bucket = worldBucket();
let served: ServedMocks, volume: GrapheneVolume, plain: PrecomputedVolume;
const cloudPath = (): string => `graphene://${served.url}/segmentation/table/world`;
const open = (options: OpenGrapheneOptions): Promise<GrapheneVolume> =>
  openGraphene(cloudPath(), { token: null, logger: { warn: () => undefined }, ...options });

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  volume = await open({});
  plain = await openPrecomputed(`${served.url}/bucket`, { logger: { warn: () => undefined } });
});
afterAll(async () => {
  await volume.close();
  await plain.close();
  await served.close();
});

/** Points 1 and 2 of the first chunk are in supervoxels 1 and 2, which belong to merged objects. */
const P1 = [17, 8, 4],
  P2 = [17, 13, 4],
  ONE = supervoxel([0, 0, 0], 1),
  TWO = supervoxel([0, 0, 0], 2),
  OTHER = supervoxel([3, 5, 0], 1);

interface Case<Input> {
  name: string;
  input: () => Input;
  call: (input: Input) => Promise<unknown>;
  change: (input: Input) => void;
}
const of = <Input>(
  name: string,
  input: () => Input,
  call: (input: Input) => Promise<unknown>,
  change: (input: Input) => void,
): Case<unknown> => ({ name, input, call, change }) as Case<unknown>;

const answers = async (result: Promise<{ rows(): Iterable<object>; timestamp?: Date }>): Promise<unknown> => {
  const answer = await result;
  return { rows: [...answer.rows()], timestamp: answer.timestamp };
};
const scattered = (points: PointInput, options: object = {}): Promise<unknown> =>
  answers(volume.scatteredPoints(points, { timestamp: BEFORE, ...options }));

const CASES: Case<unknown>[] = [
  of(
    'scatteredPoints of a flat array',
    () => Float64Array.from([P1, P2].flat()),
    (flat) => scattered(flat),
    (flat) => flat.reverse(),
  ),
  of(
    'scatteredPoints of a list',
    () => [[...P1], [...P2]],
    (list) => scattered(list),
    (list) => (list.length = 1),
  ),
  of(
    'scatteredPoints of a point that changes',
    () => [[...P1], [...P2]],
    (list) => scattered(list),
    (list) => (list[0][1] = 13),
  ),
  of(
    'scatteredPoints of columns',
    () => ({ x: [17, 17], y: Int32Array.of(8, 13), z: [4, 4] }),
    (columns) => scattered(columns),
    (columns) => columns.y.reverse(),
  ),
  of(
    'scatteredPoints: resolution',
    () => ({ resolution: [8, 8, 40] }),
    (options) => scattered([P1], options),
    ({ resolution }) => (resolution[1] = 13),
  ),
  of(
    'scatteredPoints: snap',
    () => ({ snap: { radiusNm: 8 } }),
    (options) => scattered([[16, 8, 4]], options),
    ({ snap }) => (snap.radiusNm = 1),
  ),
  of(
    'scatteredPoints: a Date',
    () => ({ timestamp: new Date(BEFORE) }),
    (options) => scattered([P1], options),
    ({ timestamp }) => timestamp.setTime(Date.parse(MERGED_AT)),
  ),
  of(
    'scatteredPoints: options',
    () => ({ agglomerate: false, timestamp: undefined as string | undefined }),
    (options) => answers(volume.scatteredPoints([P1], options)),
    (options) => Object.assign(options, { agglomerate: true, timestamp: BEFORE }),
  ),
  of(
    'scatteredPoints of a plain volume',
    () => Float64Array.from([P1, P2].flat()),
    (flat) => answers(plain.scatteredPoints(flat)),
    (flat) => flat.reverse(),
  ),
  of(
    'scatteredPoints of a plain volume: options',
    () => ({ snap: { radiusNm: 8 }, resolution: [8, 8, 40] }),
    (options) => answers(plain.scatteredPoints([[16, 8, 4]], options)),
    ({ snap }) => (snap.radiusNm = 1),
  ),
  of(
    'roots of an array',
    () => BigUint64Array.of(ONE, OTHER),
    (ids) => answers(volume.roots(ids, { timestamp: BEFORE })),
    (ids) => ids.reverse(),
  ),
  of(
    'roots of a list',
    () => [ONE, OTHER],
    (ids) => answers(volume.roots(ids, { timestamp: BEFORE })),
    (ids) => (ids.length = 1),
  ),
  of(
    'roots: options',
    () => ({ timestamp: new Date(BEFORE), stopLayer: 4 }),
    (options) => answers(volume.roots([ONE], options)),
    ({ timestamp }) => timestamp.setTime(Date.parse(MERGED_AT)),
  ),
  of(
    'supervoxelAt',
    () => [...P1],
    (point) => volume.supervoxelAt(point),
    (point) => (point[1] = 13),
  ),
  of(
    'supervoxelAt of { x, y, z }',
    () => ({ x: 17n, y: 8, z: 4 }),
    (point) => volume.supervoxelAt(point),
    (point) => (point.y = 13),
  ),
  of(
    'supervoxelAt: resolution',
    () => ({ resolution: [8, 8, 40] }),
    (options) => volume.supervoxelAt(P1, options),
    ({ resolution }) => (resolution[1] = 13),
  ),
  of(
    'rootAt',
    () => ({ point: { x: 17, y: 8, z: 4 }, timestamp: new Date(BEFORE) }),
    ({ point, timestamp }) => volume.rootAt(point, { timestamp }),
    ({ point, timestamp }) => {
      point.y = 13;
      timestamp.setTime(Date.parse(MERGED_AT));
    },
  ),
  of(
    'rootOf',
    () => ({ timestamp: new Date(BEFORE) }),
    (options) => volume.rootOf(ONE, options),
    ({ timestamp }) => timestamp.setTime(Date.parse(MERGED_AT)),
  ),
  of(
    'at',
    () => new Date(BEFORE),
    async (timestamp) => volume.at(timestamp).rootOf(ONE),
    (timestamp) => timestamp.setTime(Date.parse(MERGED_AT)),
  ),
  of(
    'openGraphene: options',
    () => ({ token: null, resolution: [8, 8, 40], timestamp: new Date(BEFORE) }),
    async (options) => (await openGraphene(cloudPath(), options)).rootAt(P1),
    ({ resolution, timestamp }) => {
      resolution[1] = 13;
      timestamp.setTime(Date.parse(MERGED_AT));
    },
  ),
  of(
    'openGraphene: storage',
    () => ({ token: null, storage: { headers: { 'x-odd': '1' } } }),
    (options) => headersOfRead(openGraphene(cloudPath(), options)),
    ({ storage }) => (storage.headers['x-odd'] = '2'),
  ),
  of(
    'openPrecomputed: options',
    () => ({ resolution: [8, 8, 40] }),
    async (options) =>
      answers(
        (
          await openPrecomputed(`${served.url}/bucket`, { logger: { warn: () => undefined }, ...options })
        ).scatteredPoints([P1]),
      ),
    ({ resolution }) => (resolution[1] = 13),
  ),
];

async function headersOfRead(opening: Promise<GrapheneVolume>): Promise<unknown> {
  await using opened = await opening;
  await opened.supervoxelAt(P1);
  return bucket.log.requests.at(-1)!.headers['x-odd'];
}

describe('a call copies its input before it returns', () => {
  test.each(CASES)('$name', async ({ input, call, change }) => {
    const right = await call(input());
    const given = input(),
      running = call(given);
    change(given);
    expect(await running).toEqual(right);
    const other = await call(given).catch((error: unknown) => error);
    expect(other).not.toEqual(right); // else the case would prove nothing
  });

  test('gives each of several calls its own answer when one array is refilled for each', async () => {
    const buffer = new Float64Array(3),
      ids = new BigUint64Array(1);
    const points = [P1, P2, [41, 48, 4]],
      supervoxels = [ONE, TWO, OTHER];
    const calls = points.map((point) => (buffer.set(point), volume.scatteredPoints(buffer)));
    expect((await Promise.all(calls)).map((result) => result.supervoxelIds[0])).toEqual(supervoxels);
    const rootCalls = supervoxels.map((id) => ((ids[0] = id), volume.roots(ids)));
    expect((await Promise.all(rootCalls)).map((result) => [...result.rows()][0].supervoxelId)).toEqual(
      supervoxels,
    );
  });

  test('reads each option once', async () => {
    const reads: string[] = [];
    const options = new Proxy(
      { timestamp: BEFORE, resolution: [8, 8, 40], onError: 'status' as const },
      { get: (target, key) => (reads.push(String(key)), Reflect.get(target, key) as unknown) },
    );
    expect(await scattered([P1])).toEqual(await answers(volume.scatteredPoints([P1], options)));
    for (const name of ['timestamp', 'resolution', 'onError'])
      expect(reads.filter((read) => read === name)).toHaveLength(1);
  });

  test("does not copy the caller's logger, signal and store", async () => {
    const said: string[] = [];
    const logger = {
      said,
      warn(message: string) {
        this.said.push(message);
      },
    };
    await using opened = await openGraphene(cloudPath(), { token: null, logger });
    await opened.scatteredPoints([[1e6, 0, 0]]);
    expect(said).toEqual([expect.stringContaining('outside the volume')]);
  });
});

describe('borrow', () => {
  test('gives the same answers', async () => {
    const flat = Float64Array.from([P1, P2].flat()),
      ids = BigUint64Array.of(ONE, TWO, OTHER, 0n);
    expect(await scattered(flat, { borrow: true })).toEqual(await scattered(flat));
    expect(await answers(plain.scatteredPoints(flat, { borrow: true }))).toEqual(
      await answers(plain.scatteredPoints(flat)),
    );
    expect(await answers(volume.roots(ids, { borrow: true, timestamp: BEFORE }))).toEqual(
      await answers(volume.roots(ids, { timestamp: BEFORE })),
    );
  });

  test('must be true or false', async () => {
    await expect(volume.roots([], { borrow: 1 as unknown as boolean })).rejects.toThrow(
      new TypeError('borrow is true or false, not 1'),
    );
    await expect(plain.scatteredPoints([], { borrow: 'yes' as unknown as boolean })).rejects.toThrow(
      TypeError,
    );
  });
});

describe('points of other shapes', () => {
  test.each<[what: string, points: unknown, message: string]>([
    ['a string', ['5,5,5'], 'the point at index 0 is a string'],
    ['strings', [['5', '5', '5']], 'the point at index 0: its x is a string'],
    ['two numbers', [P1, [5, 5]], 'the point at index 1 has 2 coordinates'],
    ['four numbers', [[5, 5, 5, 5]], 'the point at index 0 has 4 coordinates'],
    ['null', [null], 'the point at index 0 is null'],
  ])('reject with a TypeError before anything is read: %s', async (_what, points, message) => {
    const before = bucket.log.requests.length;
    for (const call of [
      () => volume.scatteredPoints(points as PointInput),
      () => plain.scatteredPoints(points as PointInput),
    ]) {
      // The call rejects; it does not throw.
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toContain(message);
    }
    expect(bucket.log.requests).toHaveLength(before);
  });

  test.each([['5,5,5'], [['5', 5, 5]], [[5, 5]], [null], [{ x: 1, y: 2 }]])(
    'supervoxelAt and rootAt refuse %j',
    async (point) => {
      for (const call of [() => volume.supervoxelAt(point as never), () => volume.rootAt(point as never)])
        await expect(call()).rejects.toThrow(/^the point at index 0/);
    },
  );

  test('may be objects, and get the status invalid_point when a coordinate is NaN', async () => {
    const result = await volume.scatteredPoints(
      [
        { x: 17, y: 8, z: 4 },
        { x: 17n, y: 13n, z: 4n },
        [NaN, 8, 4],
        [17, Infinity, 4],
        { x: 17, y: 8, z: -Infinity },
      ],
      { onError: 'status' },
    );
    expect([...result.rows()].map(({ supervoxelId, status }) => [supervoxelId, status])).toEqual([
      [ONE, 'ok'],
      [TWO, 'ok'],
      [0n, 'invalid_point'],
      [0n, 'invalid_point'],
      [0n, 'invalid_point'],
    ]);
  });
});

describe('bytes that are stored', () => {
  const tiny: TinyVolume = {
    size: [4, 4, 4],
    chunkSize: [4, 4, 4],
    voxelOffset: [0, 0, 0],
    labelAt: () => 7n,
  };

  test('are copied by memoryBucket, from a Buffer too', async () => {
    for (const [key, bytes] of Object.entries(tinyFiles(tiny))) {
      const buffer = Buffer.from(bytes);
      memoryBucket('inputs').put(`v/${key}`, buffer);
      buffer.fill(0);
    }
    await using opened = await openPrecomputed('mem://inputs/v');
    expect([...(await opened.scatteredPoints([[1, 1, 1]])).values]).toEqual([7n]);
  });

  test('are copied by a mocked volume from its labels', () => {
    const labels = BigUint64Array.of(1n, 2n, 3n, 4n),
      built = buildPrecomputed({ labels, size: [4, 1, 1], chunkSize: [4, 1, 1] });
    labels.fill(9n);
    expect([0, 1, 2, 3].map((x) => built.valueAt([x, 0, 0]))).toEqual([1n, 2n, 3n, 4n]);
  });

  test('are copied by a mocked bucket', async () => {
    const mock = createMockBucket({}),
      bytes = Buffer.from('before');
    mock.put('key', bytes);
    bytes.write('after!');
    expect(Buffer.from((await mock.handle(mockRequest('GET', '/key'))).body).toString()).toBe('before');
  });
});
