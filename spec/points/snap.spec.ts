import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { RequestError } from '../../lib/base/errors.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { errorOfPoint } from '../support/error-of-point.ts';
import { Ball } from '../../lib/points/ball.ts';
import { BallSearch } from '../../lib/points/ball-search.ts';
import type { PointValues } from '../../lib/points/point-query.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';
import { chunkKey, gridShape } from '../../lib/precomputed/grid.ts';
import { parseInfo, type Scale } from '../../lib/precomputed/volume-info.ts';
import { createRunLengthCodec } from '../support/run-length-codec.ts';
import { deferred, nextTurn, StubStore } from '../support/stub-store.ts';
import { rounds } from '../support/rounds.ts';

/** The state of a chunk that is not simply stored. */
type ChunkState = 'missing' | 'failed' | 'cut';

interface World {
  size: Vec3;
  chunkSize: Vec3;
  voxelOffset: Vec3;
  resolution: Vec3;
  /** Labels by voxel, counted from the volume's first voxel. All other voxels are background. */
  labels: Map<string, bigint>;
  chunkStates: Record<number, ChunkState>;
}

const infoOf = ({ size, chunkSize, voxelOffset, resolution }: World): object => ({
  type: 'segmentation',
  data_type: 'uint64',
  num_channels: 1,
  scales: [
    { key: 's', encoding: 'raw', resolution, size, chunk_sizes: [chunkSize], voxel_offset: voxelOffset },
  ],
});

const each = <T>(from: Vec3, to: Vec3, visit: (voxel: Vec3) => T): T[] => {
  const visited: T[] = [];
  for (let z = from[2]; z < to[2]; z++)
    for (let y = from[1]; y < to[1]; y++)
      for (let x = from[0]; x < to[0]; x++) visited.push(visit([x, y, z]));
  return visited;
};

/** A store of the world's chunks, which are truncated, failing or missing as `chunkStates` says. */
function storeOf(world: World, scale: Scale): StubStore {
  const grid = gridShape(scale);
  const chunks = new Map<string, () => Uint8Array | undefined>();
  each([0, 0, 0], grid, ([gx, gy, gz]) => {
    const cell = gx + grid[0] * (gy + grid[1] * gz);
    const min = [gx, gy, gz].map((g, axis) => g * world.chunkSize[axis]) as unknown as Vec3;
    const max = min.map((m, axis) =>
      Math.min(m + world.chunkSize[axis], world.size[axis]),
    ) as unknown as Vec3;
    chunks.set(chunkKey(scale, cell), () => {
      const state = world.chunkStates[cell];
      if (state === 'missing') return undefined;
      if (state === 'failed')
        throw new RequestError('HTTP_STATUS', 'answered 500', `https://bucket.example/volume/${cell}`, 500);
      const bytes = new Uint8Array(
        BigUint64Array.from(each(min, max, (voxel) => world.labels.get(voxel.join()) ?? 0n)).buffer,
      );
      return state === 'cut' ? bytes.subarray(1) : bytes;
    });
  });
  return new StubStore((key) => chunks.get(key)!());
}

function open(
  world: World,
  options: Partial<PointReaderOptions> = {},
): { reader: PointReader; store: StubStore; scale: Scale } {
  const info = parseInfo(infoOf(world), 'https://bucket.example/volume');
  const store = storeOf(world, info.scales[0]);
  return {
    reader: new PointReader({ info, store, infoWasRead: true, ...options }),
    store,
    scale: info.scales[0],
  };
}

interface Answer {
  status: string;
  label: bigint;
  snappedNm: number;
  /** Voxel of the label, counted from the volume's first voxel. */
  at?: number[];
}

/** Snaps by examining every voxel of the volume, nearest first, then by z, y, x. */
function naive(world: World, point: Vec3, radiusNm: number): Answer {
  const { size, chunkSize, resolution, voxelOffset, labels, chunkStates } = world;
  const grid = size.map((s, axis) => Math.ceil(s / chunkSize[axis]));
  const stateAt = (voxel: Vec3): ChunkState | undefined => {
    const [gx, gy, gz] = voxel.map((v, axis) => Math.floor(v / chunkSize[axis]));
    return chunkStates[gx + grid[0] * (gy + grid[1] * gz)];
  };
  const own = point.map((p, axis) => p - voxelOffset[axis]) as unknown as Vec3;
  const none = (status: string): Answer => ({ status, label: 0n, snappedNm: NaN });
  if (own.some((v, axis) => v < 0 || v >= size[axis])) return none('out_of_bounds');
  if (stateAt(own)) return none(stateAt(own) === 'missing' ? 'missing_chunk' : 'failed');
  const near = each([0, 0, 0], size, (voxel) => ({
    voxel,
    square: voxel.reduce((sum, v, axis) => sum + ((v - own[axis]) * resolution[axis]) ** 2, 0),
  }));
  for (const { voxel, square } of near
    .filter(({ square }) => square <= radiusNm ** 2)
    .sort((a, b) => a.square - b.square)) {
    const state = stateAt(voxel),
      label = labels.get(voxel.join());
    if (state === 'failed' || state === 'cut') return none('failed');
    if (label !== undefined && state !== 'missing')
      return {
        status: 'ok',
        label,
        snappedNm: Math.fround(Math.sqrt(square)),
        ...(square > 0 && { at: [...voxel] }),
      };
  }
  return none('background');
}

function answers({ values, status, snapped, scale }: PointValues): Answer[] {
  const found: Answer[] = Array.from(status, (code, i) => ({
    status: statusText(code),
    label: values[i] as bigint,
    snappedNm: snapped!.nm[i],
  }));
  const { cells, starts, order, offsets } = runWithoutPause(snapped!.plan());
  const grid = gridShape(scale);
  cells.forEach((cell, c) => {
    const position = [
      cell % grid[0],
      Math.floor(cell / grid[0]) % grid[1],
      Math.floor(cell / grid[0] / grid[1]),
    ];
    const min = position.map((g, axis) => g * scale.chunkSize[axis]);
    const [sx, sy] = min.map((m, axis) => Math.min(scale.chunkSize[axis], scale.size[axis] - m));
    for (let k = starts[c]; k < starts[c + 1]; k++)
      found[order[k]].at = [
        min[0] + (offsets[k] % sx),
        min[1] + (Math.floor(offsets[k] / sx) % sy),
        min[2] + Math.floor(offsets[k] / sx / sy),
      ];
  });
  return found;
}

const triple = (min: number, max: number): fc.Arbitrary<[number, number, number]> => {
  const one = fc.integer({ min, max });
  return fc.tuple(one, one, one);
};

const worlds: fc.Arbitrary<World> = fc
  .record({
    size: triple(1, 9),
    chunkSize: triple(1, 6),
    voxelOffset: triple(-20, 20),
    resolution: triple(1, 9),
  })
  .chain((geometry) => {
    const voxel = fc.tuple(...geometry.size.map((s) => fc.nat(s - 1)));
    const cells = geometry.size.reduce((n, s, axis) => n * Math.ceil(s / geometry.chunkSize[axis]), 1);
    return fc
      .record({
        labels: fc.array(fc.tuple(voxel, fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })), { maxLength: 12 }),
        chunkStates: fc.array(
          fc.tuple(fc.nat(cells - 1), fc.constantFrom<ChunkState>('missing', 'failed', 'cut')),
          { maxLength: 4 },
        ),
      })
      .map(({ labels, chunkStates }) => ({
        ...geometry,
        labels: new Map(labels.map(([at, label]) => [at.join(), label])),
        chunkStates: Object.fromEntries(chunkStates),
      }));
  });

const questions = worlds.chain((world) =>
  fc.record({
    world: fc.constant(world),
    points: fc.array(
      fc.tuple(
        ...world.size.map((s, axis) =>
          fc.integer({ min: world.voxelOffset[axis] - 1, max: world.voxelOffset[axis] + s }),
        ),
      ),
      { minLength: 1, maxLength: 12 },
    ) as unknown as fc.Arbitrary<Vec3[]>,
    radiusNm: fc.integer({ min: 1, max: 25 }),
    lruBytes: fc.constantFrom(0, 1e6),
    lruEncoding: fc.constantFrom('same' as const, 'compressed_segmentation' as const),
  }),
);

/** A line of 40 voxels of 10 nm, in 10 chunks. */
const line = (labels: Record<number, bigint>, chunkStates: Record<number, ChunkState> = {}): World => ({
  size: [40, 1, 1],
  chunkSize: [4, 1, 1],
  voxelOffset: [100, 0, 0],
  resolution: [10, 10, 10],
  labels: new Map(Object.entries(labels).map(([x, label]) => [`${x},0,0`, label])),
  chunkStates,
});
const at = (x: number): Vec3 => [100 + x, 0, 0];
const cellsRead = ({ keys }: StubStore): number[] =>
  keys.map((key) => (Number(/\/(\d+)/.exec(key)![1]) - 100) / 4);

describe('snap', () => {
  test('agrees with a search of every voxel, whatever is missing or broken, and reads no chunk unnecessarily', () =>
    fc.assert(
      fc.asyncProperty(questions, async ({ world, points, radiusNm, ...lru }) => {
        const { reader, store, scale } = open(world, { ...lru, concurrency: 3 });
        const read = await reader.read(points, { mip: 0, snapNm: radiusNm });
        expect(answers(read)).toEqual(points.map((point) => naive(world, point, radiusNm)));
        read.status.forEach((code, i) =>
          expect(errorOfPoint(read.failures, i)?.code).toBe(
            code === PointStatus.failed ? 'CHUNK_FAILED' : undefined,
          ),
        );
        expect(read.failures.reduce((n, failure) => n + failure.points!.length, 0)).toBe(
          read.status.filter((code) => code === PointStatus.failed).length,
        );
        // Once for the chunk's own points, once more for the points of its neighbours.
        const times = new Map<string, number>();
        for (const key of store.keys) times.set(key, (times.get(key) ?? 0) + 1);
        expect(Math.max(...times.values(), 0)).toBeLessThanOrEqual(2);
        const { requests, cacheHits, chunks } = read.stats;
        expect([requests, chunks]).toEqual([store.reads.length, store.reads.length + cacheHits]);
        const touched = new Set(
          points.flatMap((point) => {
            const own = point.map((p, axis) => p - world.voxelOffset[axis]);
            const inside = own.every((v, axis) => v >= 0 && v < world.size[axis]);
            const near = (voxel: Vec3): boolean =>
              voxel.reduce((sum, v, axis) => sum + ((v - own[axis]) * world.resolution[axis]) ** 2, 0) <=
              radiusNm ** 2;
            const grid = gridShape(scale);
            return inside
              ? each([0, 0, 0], world.size, (voxel) => {
                  const [gx, gy, gz] = voxel.map((v, axis) => Math.floor(v / world.chunkSize[axis]));
                  return near(voxel) ? chunkKey(scale, gx + grid[0] * (gy + grid[1] * gz)) : '';
                })
              : [];
          }),
        );
        for (const key of store.keys) expect(touched).toContain(key);
      }),
      { seed: 12, numRuns: rounds(40) },
    ));

  test('leaves a point with its own label as it is, and a point without a label in reach on background', async () => {
    const { reader } = open(line({ 2: 7n, 20: 9n }));
    const read = await reader.read([at(2), at(10), at(3)], { mip: 0, snapNm: 75 });
    expect(answers(read)).toEqual([
      { status: 'ok', label: 7n, snappedNm: 0 },
      { status: 'background', label: 0n, snappedNm: NaN },
      { status: 'ok', label: 7n, snappedNm: 10, at: [2, 0, 0] },
    ]);
  });

  test("measures from the centre of the point's voxel", async () => {
    const { reader } = open(line({ 5: 7n }));
    const { snapped } = await reader.read([[106.99, 0.5, 0.1]], { mip: 0, snapNm: 10 });
    expect([...snapped!.nm]).toEqual([10]);
  });

  test('reads no neighbour for a point whose own chunk holds the nearest label', async () => {
    const { reader, store } = open(line({ 1: 7n, 4: 8n }));
    const read = await reader.read([at(0), at(2)], { mip: 0, snapNm: 300 });
    expect(read.values).toEqual(BigUint64Array.of(7n, 7n));
    // Of two voxels at the same distance the lower one wins, so voxel 3 could not hold a better label.
    expect(store.reads).toHaveLength(1);
  });

  test('reads a neighbour chunk that could hold a nearer label, and no farther chunk', async () => {
    const { reader, store } = open(line({ 0: 7n, 4: 8n }));
    const read = await reader.read([at(3)], { mip: 0, snapNm: 300 });
    expect(answers(read)).toEqual([{ status: 'ok', label: 8n, snappedNm: 10, at: [4, 0, 0] }]);
    expect(cellsRead(store)).toEqual([0, 1]);
  });

  test('works outwards, so a near label makes far chunks unnecessary', async () => {
    const { reader, store } = open(line({ 26: 7n }));
    const read = await reader.read([at(21)], { mip: 0, snapNm: 300 });
    expect(read.snapped!.nm[0]).toBe(50);
    expect(cellsRead(store).sort()).toEqual([4, 5, 6]); // of all 10 in reach
  });

  test('reads each chunk once for all points that search it', async () => {
    const { reader, store } = open(line({ 20: 7n }));
    const points = Array.from({ length: 12 }, (_, x) => at(x + 8)); // chunks 2, 3, 4
    const read = await reader.read(points, { mip: 0, snapNm: 120 });
    expect([...read.snapped!.nm]).toEqual(points.map((_, k) => 120 - 10 * k));
    const neighbours = cellsRead(store).slice(3); // after the points' own
    expect(neighbours.sort((a, b) => a - b)).toEqual([...new Set(neighbours)]);
  });

  test('registers the neighbour chunks of calls made together before it waits, so the calls share reads', async () => {
    const { reader, store } = open(line({ 4: 7n }));
    await Promise.all(Array.from({ length: 10 }, () => reader.read([at(3)], { mip: 0, snapNm: 10 })));
    expect(cellsRead(store)).toEqual([0, 1]);
  });

  test.each<[name: string, world: World, answer: Answer]>([
    [
      'treats a chunk that is not stored as empty',
      line({ 9: 7n }, { 1: 'missing' }),
      { status: 'ok', label: 7n, snappedNm: 60, at: [9, 0, 0] },
    ],
    [
      'ignores a failed chunk beyond the nearest label',
      line({ 0: 6n, 9: 7n }, { 1: 'missing', 2: 'failed' }),
      { status: 'ok', label: 6n, snappedNm: 30, at: [0, 0, 0] },
    ],
  ])('%s', async (_name, world, answer) =>
    expect(answers(await open(world).reader.read([at(3)], { mip: 0, snapNm: 100 }))).toEqual([answer]),
  );

  test.each<ChunkState>(['failed', 'cut'])(
    'fails a point when a %s chunk could hold a nearer label, and names the chunk',
    async (state) => {
      const { reader } = open(line({ 0: 6n, 9: 7n }, { 1: state }));
      const read = await reader.read([at(3), at(0), at(1)], { mip: 0, snapNm: 100 });
      expect(answers(read)).toEqual([
        { status: 'failed', label: 0n, snappedNm: NaN },
        { status: 'ok', label: 6n, snappedNm: 0 },
        { status: 'ok', label: 6n, snappedNm: 10, at: [0, 0, 0] },
      ]);
      expect(errorOfPoint(read.failures, 0)).toMatchObject({
        code: 'CHUNK_FAILED',
        url: 'https://bucket.example/volume/s/104-108_0-1_0-1',
      });
      expect(errorOfPoint(read.failures, 2)).toBeUndefined();
    },
  );

  test('does not search for points out of bounds or in a chunk that is not stored', async () => {
    const { reader, store } = open(line({ 3: 6n, 8: 7n }, { 1: 'missing' }));
    const read = await reader.read([at(5), at(-1), [NaN, 0, 0]], { mip: 0, snapNm: 100 });
    expect(answers(read).map(({ status }) => status)).toEqual([
      'missing_chunk',
      'out_of_bounds',
      'invalid_point',
    ]);
    expect([...read.snapped!.nm]).toEqual([NaN, NaN, NaN]);
    expect(cellsRead(store)).toEqual([1]);
  });

  test('fails the points of a chunk that cannot be decoded during the search', async () => {
    const info = parseInfo(
      {
        type: 'segmentation',
        data_type: 'uint64',
        num_channels: 1,
        scales: [
          {
            key: 's',
            encoding: 'compressed_segmentation',
            compressed_segmentation_block_size: [2, 2, 2],
            resolution: [1, 1, 1],
            size: [4, 2, 2],
            chunk_sizes: [[4, 2, 2]],
          },
        ],
      },
      'mem://v',
    );
    // Two blocks: one with a single label, and one whose table lies far beyond the end.
    const words = Uint32Array.of(1, 4, 0, 0xffff, 0, 0, 0);
    const reader = new PointReader({
      info,
      infoWasRead: true,
      store: new StubStore(() => new Uint8Array(words.buffer), 'mem://v'),
    });
    const read = await reader.read([[0, 0, 0]], { mip: 0, snapNm: 3 });
    expect(statusText(read.status[0])).toBe('failed');
    expect(errorOfPoint(read.failures, 0)).toMatchObject({
      url: 'mem://v/s/0-4_0-2_0-2',
      cause: { code: 'TRUNCATED' },
    });
    // Without snap, the point's own voxel can be decoded.
    expect(statusText((await reader.read([[0, 0, 0]], { mip: 0 })).status[0])).toBe('background');
  });

  test('gives no distances without snapNm', async () =>
    expect((await open(line({})).reader.read([at(0)], { mip: 0 })).snapped).toBeUndefined());

  test('finds the labels of an encoding that is read from its beginning, and decodes each chunk once', async () => {
    const layout = { chunkSize: [9, 1, 1], channels: 1, dataType: 'uint8' } as const,
      codec = createRunLengthCodec(),
      ball = runWithoutPause(Ball.create([1, 1, 1], 8)),
      search = new BallSearch(ball, { numChannels: 1, dataType: 'uint8' });
    const searches = {
      points: Uint32Array.of(0, 1, 2),
      voxels: Float64Array.of(0, 0, 0, 3, 0, 0, 7, 0, 0),
      firstRanks: Uint32Array.of(1, 1, 1),
    };
    const nearest = { ranks: new Uint32Array(3).fill(ball.size), out: new Uint8Array(3) };
    const chunk = { bytes: Uint8Array.of(4, 0, 1, 5, 3, 0, 1, 6), codec, layout, min: [0, 0, 0] as const };
    runWithoutPause(search.run(chunk, searches, nearest));
    expect([...nearest.out]).toEqual([5, 5, 6]);
    expect(Array.from(nearest.ranks, (rank) => ball.distanceNm(rank))).toEqual([4, 1, 1]);
    expect(codec.chunksDecoded).toBe(1);
  });

  test('treats a voxel with any nonzero channel as a label, and takes all its channels', async () => {
    const scale = {
      key: 's',
      encoding: 'raw',
      resolution: [1, 1, 1],
      size: [3, 1, 1],
      chunk_sizes: [[3, 1, 1]],
    };
    const info = parseInfo(
      { type: 'segmentation', data_type: 'uint16', num_channels: 2, scales: [scale] },
      'mem://v',
    );
    const chunk = new Uint8Array(Uint16Array.of(0, 0, 5, 0, 6, 7).buffer);
    const reader = new PointReader({ info, infoWasRead: true, store: new StubStore(() => chunk, 'mem://v') });
    const { values, snapped } = await reader.read(
      [
        [0, 0, 0],
        [2, 0, 0],
      ],
      { mip: 0, snapNm: 9 },
    );
    expect([[...values], [...snapped!.nm]]).toEqual([
      [0, 6, 5, 7],
      [1, 0],
    ]);
  });

  test.each<[name: string, type: string, snapNm: number, error: object]>([
    ['an image', 'image', 10, { name: 'TypeError' }],
    ['a ball too large to search', 'segmentation', 1e5, { name: 'RangeError' }],
  ])('refuses %s before anything is read', async (_name, type, snapNm, error) => {
    const world = line({});
    const store = new StubStore(() => undefined);
    const reader = new PointReader({
      info: parseInfo({ ...infoOf(world), type }, 'mem://v'),
      store,
      infoWasRead: true,
    });
    await expect(reader.read([at(0)], { mip: 0, snapNm })).rejects.toMatchObject(error);
    expect(store.reads).toEqual([]);
  });

  test('rejects with the reason of an abort, also while it reads neighbour chunks', async () => {
    const gate = deferred<Uint8Array>();
    const controller = new AbortController();
    const info = parseInfo(infoOf(line({})), 'mem://v');
    const store = new StubStore(
      (key) => (key === 's/100-104_0-1_0-1' ? new Uint8Array(32) : gate.promise),
      'mem://v',
    );
    const reading = new PointReader({ info, store, infoWasRead: true }).read([at(3)], {
      mip: 0,
      snapNm: 10,
      signal: controller.signal,
    });
    while (store.reads.length < 2) await nextTurn();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
    gate.resolve(new Uint8Array(32));
  });

  test('reports progress over all chunks, and throws an error of onProgress at the end', async () => {
    const onProgress = jest.fn();
    await open(line({ 4: 7n })).reader.read([at(3), at(20)], { mip: 0, snapNm: 10, onProgress });
    expect(onProgress.mock.calls.map(([progress]) => progress)).toEqual([
      { points: 2, chunks: 2, chunksDone: 1 },
      { points: 2, chunks: 2, chunksDone: 2 },
      { points: 2, chunks: 4, chunksDone: 3 },
      { points: 2, chunks: 4, chunksDone: 4 },
    ]);
    const broken = new Error('the bar broke');
    const breaking = open(line({ 4: 7n })).reader.read([at(3)], {
      mip: 0,
      snapNm: 10,
      onProgress: ({ chunksDone }) => {
        if (chunksDone === 2) throw broken;
      },
    });
    await expect(breaking).rejects.toBe(broken);
  });
});
