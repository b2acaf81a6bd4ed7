/** How much of a search for labels is done between two pauses: counted in steps, not in time. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { CooperativeRunner, runWithoutPause, type PausableWork } from '../../lib/base/cooperative-work.ts';
import { ChunkError } from '../../lib/base/errors.ts';
import type { Codec } from '../../lib/codecs/codec.ts';
import { Ball } from '../../lib/points/ball.ts';
import { BallSearch } from '../../lib/points/ball-search.ts';
import { BlockedPoints } from '../../lib/points/blocked-points.ts';
import { PointReader } from '../../lib/points/point-reader.ts';
import { createSearches, SearchTasks } from '../../lib/points/search-tasks.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { StubStore } from '../support/stub-store.ts';

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
    const search = new BallSearch(new Ball([1, 1, 1], 3), { numChannels: 1, dataType: 'uint64' });
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
    const rankOf = Ball.prototype.rankOf;
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
      { seed: 5, numRuns: 200 },
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
      { seed: 6, numRuns: 200 },
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
