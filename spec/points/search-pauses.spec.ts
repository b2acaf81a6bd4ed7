/** How much of a search for labels is done between two pauses: counted in steps, not in time. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { CooperativeRunner, runWithoutPause, type PausableWork } from '../../lib/base/cooperative-work.ts';
import { ChunkError, DeadlineError } from '../../lib/base/errors.ts';
import type { Codec } from '../../lib/codecs/codec.ts';
import { Ball } from '../../lib/points/ball.ts';
import { BallSearch } from '../../lib/points/ball-search.ts';
import { BlockedPoints } from '../../lib/points/blocked-points.ts';
import { PointReader, type PointReaderOptions } from '../../lib/points/point-reader.ts';
import { createSearches, SearchTasks } from '../../lib/points/search-tasks.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { StubStore } from '../support/stub-store.ts';
import { rounds } from '../support/rounds.ts';

afterEach(() => void jest.restoreAllMocks());

/** Runs work to its end. Returns its result, and the most that `count` grew between two pauses. */
function measure<T>(work: PausableWork<T>, count: () => number): { result: T; most: number } {
  let most = 0;
  for (let before = count(); ; before = count()) {
    const step = work.next();
    most = Math.max(most, count() - before);
    if (step.done) return { result: step.value, most };
  }
}

describe('pauses of a search', () => {
  test('at most 4096 values of a chunk are decoded between two pauses', () => {
    let decoded = 0;
    const codec = {
      isPointwise: true,
      decodePoints: (_bytes: unknown, _layout: unknown, offsets: Uint32Array) =>
        void (decoded += offsets.length),
    } as unknown as Codec;
    const search = new BallSearch(runWithoutPause(Ball.create([1, 1, 1], 3)), {
      numChannels: 1,
      dataType: 'uint64',
    });
    const count = 5000,
      searches = createSearches(count),
      ranks = new Uint32Array(count).fill(search.ball.size);
    for (let k = 0; k < count; k++) searches.points[k] = k;
    searches.voxels.fill(8);
    searches.firstRanks.fill(1);
    const layout = { chunkSize: [16, 16, 16], channels: 1, dataType: 'uint64' } as const;
    const { most } = measure(
      search.run({ bytes: new Uint8Array(0), codec, layout, min: [0, 0, 0] }, searches, {
        ranks,
        out: new Uint32Array(2 * count),
      }),
      () => decoded,
    );
    expect(decoded).toBe(count * (search.ball.size - 1));
    expect(most).toBeLessThanOrEqual(4096);
  });

  test('the event loop runs while points plan searches in hundreds of chunks each', async () => {
    let ranked = 0,
      began = 0;
    const rankOf = Reflect.get(Ball.prototype, 'rankOf');
    jest.spyOn(Ball.prototype, 'rankOf').mockImplementation(function (this: Ball, ...at) {
      ranked++;
      return rankOf.apply(this, at);
    });
    const held: number[] = [];
    const runner = new CooperativeRunner({
      now: () => ranked / 1000,
      afterLoopTurn: (act) =>
        setImmediate(() => {
          held.push(ranked - began);
          began = ranked;
          act();
        }),
    });
    const scale = {
      key: 's',
      encoding: 'raw',
      resolution: [1, 1, 1],
      size: [7, 7, 7],
      chunk_sizes: [[1, 1, 1]],
    };
    const info = parseInfo(
      { type: 'segmentation', data_type: 'uint64', num_channels: 1, scales: [scale] },
      'mem://v',
    );
    const own = 's/3-4_3-4_3-4',
      store = new StubStore((key) => (key === own ? new Uint8Array(8) : undefined), 'mem://v');
    const reader = new PointReader({ info, store, infoWasRead: true, runner });
    await reader.read(new Float64Array(3 * 1500).fill(3), { mip: 0, snapNm: 3 });
    expect(ranked).toBe(1500 * (7 ** 3 - 1));
    expect(Math.max(...held)).toBeLessThanOrEqual(4000 + 2 * 1031);
  });
});

/** A reader of one chunk of 4 x 4 x 4 voxels: label 7 at 1, 0, 0, and background. */
function smallReader(options: Partial<PointReaderOptions>): PointReader {
  const scale = {
    key: 's',
    encoding: 'raw',
    resolution: [1, 1, 1],
    size: [4, 4, 4],
    chunk_sizes: [[4, 4, 4]],
  };
  const info = parseInfo(
    { type: 'segmentation', data_type: 'uint64', num_channels: 1, scales: [scale] },
    'mem://v',
  );
  const chunk = new Uint8Array(8 * 64);
  chunk[8] = 7;
  return new PointReader({
    info,
    store: new StubStore(() => chunk, 'mem://v'),
    infoWasRead: true,
    ...options,
  });
}

describe('pauses after a search', () => {
  const COUNT = 40_000;

  test('at most 16384 distances are set, and 1024 snapped points planned, between two pauses', async () => {
    const set = jest.spyOn(Ball.prototype, 'distanceNm'),
      planned = jest.spyOn(Ball.prototype, 'voxelAt');
    const runner = new CooperativeRunner();
    let most = 0;
    runner.run = <T>(work: PausableWork<T>): T => {
      const measured = measure(work, () => set.mock.calls.length);
      most = Math.max(most, measured.most);
      return measured.result;
    };
    const { snapped } = await smallReader({ runner }).read(new Float64Array(3 * COUNT), {
      mip: 0,
      snapNm: 1,
    });
    expect(snapped!.nm.every((nm) => nm === 1)).toBe(true);
    expect(most).toBe(16_384);
    planned.mockClear();
    const plan = measure(snapped!.plan(), () => planned.mock.calls.length);
    expect([planned.mock.calls.length, plan.most]).toEqual([COUNT, 1024]);
    expect(plan.result.order).toHaveLength(COUNT);
  });
});

describe('building a ball', () => {
  const pausesOf = (work: PausableWork<Ball>): number => {
    let steps = 0;
    measure(work, () => steps++);
    return steps / 2 - 1;
  };

  test.each<[resolution: [number, number, number], radiusNm: number, voxels: number]>([
    [[1, 1, 1], 25, 51 ** 3],
    [[0.001, 100, 100], 50, 100_001],
  ])('of voxels of %p nm and radius %p nm pauses every 4096 voxels', (resolution, radiusNm, voxels) => {
    expect(pausesOf(Ball.create(resolution, radiusNm))).toBeGreaterThan((2 * voxels) / 4096);
  });

  test('of up to 65536 voxels does not pause', () => {
    expect(pausesOf(Ball.create([1, 1, 1], 19))).toBe(0);
  });

  test('is shared by calls at the same time, and goes on when one of them is aborted', async () => {
    const create = jest.spyOn(Ball, 'create'),
      runner = new CooperativeRunner();
    runner.isDue = () => true;
    const reader = smallReader({ runner }),
      controller = new AbortController(),
      query = { mip: 0, snapNm: 30 };
    const aborted = expect(reader.read([[0, 0, 0]], { ...query, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    const other = reader.read([[3, 0, 0]], query);
    await new Promise(setImmediate);
    controller.abort(new Error('enough'));
    await aborted;
    expect([...(await other).snapped!.nm]).toEqual([2]);
    expect([...(await reader.read([[2, 0, 0]], query)).snapped!.nm]).toEqual([1]);
    expect(create).toHaveBeenCalledTimes(1);
  });

  test('ends at a deadline: all points fail', async () => {
    const runner = new CooperativeRunner(),
      controller = new AbortController();
    runner.isDue = () => true;
    const reading = smallReader({ runner }).read([[0, 0, 0]], {
      mip: 0,
      snapNm: 30,
      signal: controller.signal,
    });
    controller.abort(new DeadlineError(100));
    const { status, snapped, failures } = await reading;
    expect([[...status], [...snapped!.nm]]).toEqual([[PointStatus.failed], [NaN]]);
    expect(failures[0].error.message).toContain('100 ms');
  });
});

describe('SearchTasks', () => {
  interface Task {
    point: number;
    cell: number;
    firstRank: number;
  }
  const NO_LIMIT = (): number => Infinity;

  /** Splits the tasks of a round from the rest, by the definition. */
  function naiveRound(tasks: Task[], limitOf: (point: number) => number): { now: Task[]; later: Task[] } {
    const useful = tasks.filter(({ point, firstRank }) => firstRank < limitOf(point));
    const cells = new Set(
      useful
        .filter(({ point, firstRank }) =>
          useful.every((other) => other.point !== point || firstRank <= 8 * other.firstRank),
        )
        .map(({ cell }) => cell),
    );
    return {
      now: useful.filter(({ cell }) => cells.has(cell)),
      later: useful.filter(({ cell }) => !cells.has(cell)),
    };
  }

  test('takes the nearest chunks of each point, round by round, until nothing is left', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.array(fc.record({ cell: fc.nat(5), firstRank: fc.integer({ min: 1, max: 100 }) }), {
            maxLength: 5,
          }),
          { maxLength: 8 },
        ),
        fc.integer({ min: 1, max: 120 }),
        (points, limit) => {
          const tasks = new SearchTasks(),
            limitOf = (point: number): number => limit + point;
          let left = points.flatMap((own, point) => own.map((task) => ({ point, ...task })));
          points.forEach((own, point) => {
            tasks.addPoint(point, point, 2 * point, 3 * point);
            for (const { cell, firstRank } of own) tasks.add(cell, firstRank);
          });
          for (let isOver = false; !isOver;) {
            const { now, later } = naiveRound(left, limitOf);
            const { cells, searchesOf } = runWithoutPause(tasks.takeRound(limitOf));
            const found = [...cells].flatMap((cell, ordinal) => {
              const { points, voxels, firstRanks } = searchesOf(ordinal);
              expect([...voxels]).toEqual([...points].flatMap((point) => [point, 2 * point, 3 * point]));
              return Array.from(points, (point, k) => ({ point, cell, firstRank: firstRanks[k] }));
            });
            expect(new Set(cells).size).toBe(cells.length);
            expect(found).toEqual([...cells].flatMap((cell) => now.filter((task) => task.cell === cell)));
            expect(found).toHaveLength(now.length);
            expect(tasks.count).toBe(later.length);
            left = later;
            isOver = now.length === 0;
          }
        },
      ),
      { seed: 5, numRuns: rounds(50) },
    ));

  test('at most 4096 tasks are looked at between two pauses', () => {
    const tasks = new SearchTasks();
    for (let point = 0; point < 20_000; point++) {
      tasks.addPoint(point, 0, 0, 0);
      tasks.add(point % 100, 1);
    }
    let asked = 0;
    const limitOf = (): number => (asked++, Infinity);
    expect(measure(tasks.takeRound(limitOf), () => asked).most).toBe(4096);
    for (let k = 0; k < 20_000; k++) tasks.add(k % 100, 1);
    let steps = 0;
    measure(tasks.takeRound(NO_LIMIT), () => steps++);
    expect(steps).toBeGreaterThan(4 * (20_000 / 4096));
  });
});

describe('BlockedPoints', () => {
  const errors = [0, 1, 2].map((k) => ChunkError.of(`mem://v/${k}`, new Error('no')));

  test('keeps the lowest rank of each point, and lists failed points by error, ascending', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            error: fc.nat(2),
            points: fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 9 })), { maxLength: 9 }),
          }),
          { maxLength: 6 },
        ),
        (adds) => {
          const blocked = new BlockedPoints(21),
            lowest = new Map<number, { rank: number; error: ChunkError }>();
          for (const { error, points } of adds.sort((a, b) => a.error - b.error)) {
            const searches = createSearches(points.length);
            for (const [k, [point, rank]] of points.entries()) {
              searches.points[k] = point;
              searches.firstRanks[k] = rank;
              if (rank < (lowest.get(point)?.rank ?? Infinity))
                lowest.set(point, { rank, error: errors[error] });
            }
            blocked.add(searches, errors[error]);
          }
          for (let point = 0; point < 21; point++)
            expect(blocked.rankOf(point)).toBe(lowest.get(point)?.rank ?? Infinity);
          const failed = [...lowest]
            .filter(([, { rank }]) => rank < 5)
            .map(([point]) => point)
            .sort((a, b) => a - b);
          const expected = errors
            .map((error) => ({ error, points: failed.filter((point) => lowest.get(point)!.error === error) }))
            .filter(({ points }) => points.length > 0);
          const collected = runWithoutPause(blocked.collect((_point, rank) => rank < 5));
          expect(collected.map(({ error, points }) => ({ error, points: [...points!] }))).toEqual(expected);
        },
      ),
      { seed: 6, numRuns: rounds(50) },
    ));

  test('at most 16384 points are looked at between two pauses', () => {
    const count = 100_000,
      blocked = new BlockedPoints(count),
      searches = createSearches(count);
    for (let k = 0; k < count; k++) searches.points[k] = count - 1 - k;
    blocked.add(searches, errors[0]);
    let asked = 0;
    const { most, result } = measure(
      blocked.collect(() => ++asked > 0),
      () => asked,
    );
    expect(most).toBe(16_384);
    expect(result[0].points).toEqual(Uint32Array.from({ length: count }, (_, k) => k));
  });
});
