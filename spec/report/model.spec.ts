/** What a report measures, against sorted lists and maps of all values. */
import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { wordsOf } from '../../lib/base/uint64.ts';
import { AnswerCollector } from '../../lib/report/model/answer-collector.ts';
import { HeavyHitters } from '../../lib/report/model/heavy-hitters.ts';
import { ACCURACY, LatencySketch } from '../../lib/report/model/latency-sketch.ts';
import { PointSamples } from '../../lib/report/model/point-samples.ts';
import { joinTimelines, RunTimeline, SERIES } from '../../lib/report/model/run-timeline.ts';
import { hostOf, safeMessage, safeUrl } from '../../lib/report/model/safe-url.ts';
import { seeded } from '../../testing/random.ts';
import { rounds } from '../support/rounds.ts';

describe('LatencySketch', () => {
  const random = seeded(1),
    durations = Array.from({ length: 5000 }, () => Math.exp(random.below(1_400_000) / 100_000) / 7),
    sorted = durations.toSorted((a, b) => a - b);
  const whole = new LatencySketch();
  for (const ms of durations) whole.add(ms);

  test.each([0, 0.5, 0.9, 0.99, 1])('knows the percentile %d to one percent', (part) => {
    const truth = sorted[Math.round(part * (sorted.length - 1))];
    expect(Math.abs(whole.quantile(part) - truth) / truth).toBeLessThanOrEqual(ACCURACY * 1.05);
  });

  test('merges to what it had been with all durations, also through JSON', () => {
    const parts = [new LatencySketch(), new LatencySketch()],
      merged = new LatencySketch();
    for (const [k, ms] of durations.entries()) parts[k % 2].add(ms);
    for (const part of parts)
      merged.merge(JSON.parse(JSON.stringify(part)) as ReturnType<LatencySketch['toJSON']>);
    const { sum, ...rest } = whole.toJSON();
    expect(merged.toJSON()).toMatchObject(rest);
    expect(merged.toJSON().sum).toBeCloseTo(sum, 3);
  });

  test('has bars without gaps that hold each duration once, in the place of its size', () => {
    const bars = whole.bars();
    expect(bars.reduce((all, { count }) => all + count, 0)).toBe(durations.length);
    for (const [k, { fromMs, toMs, count }] of bars.entries()) {
      if (k > 0) expect(fromMs).toBeCloseTo(bars[k - 1].toMs, 9);
      const within = (factor: number): number =>
        sorted.filter((ms) => ms > fromMs * factor && ms <= toMs / factor).length;
      expect(count).toBeGreaterThanOrEqual(within(1 + 2 * ACCURACY));
      expect(count).toBeLessThanOrEqual(within(1 - 2 * ACCURACY));
    }
  });

  test('is empty at first, and takes what is no duration as 0', () => {
    const sketch = new LatencySketch();
    expect([sketch.quantile(0.5), sketch.mean, sketch.max, sketch.bars()]).toEqual([0, 0, 0, []]);
    for (const ms of [NaN, -1, Infinity]) sketch.add(ms);
    expect(sketch.toJSON()).toMatchObject({ count: 3, sum: 0, min: 0, max: 0 });
  });
});

describe('HeavyHitters', () => {
  /** IDs of which some occur often, above 2^53, and 0. */
  function makeIds(count: number, distinct: number, seed: number): BigUint64Array {
    const random = seeded(seed);
    return BigUint64Array.from({ length: count }, () => {
      const rank = Math.floor(distinct * (random.below(10_000) / 10_000) ** 4);
      return rank === 3 ? 0n : (1n << 60n) + BigInt(rank) * 4_294_967_311n;
    });
  }
  const truthOf = (ids: Iterable<bigint>): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const id of ids) if (id !== 0n) counts.set(String(id), (counts.get(String(id)) ?? 0) + 1);
    return counts;
  };

  test('counts exactly while all distinct IDs fit', () => {
    const ids = makeIds(100_000, 3000, 5),
      hitters = new HeavyHitters(),
      truth = truthOf(ids);
    for (let from = 0; from < ids.length; from += 33_333)
      runWithoutPause(hitters.addInSteps(wordsOf(ids.slice(from, from + 33_333))));
    expect([hitters.missed, hitters.size, hitters.total]).toEqual([
      0,
      truth.size,
      ids.filter((id) => id !== 0n).length,
    ]);
    const top = [...truth]
      .toSorted(([a, n], [b, m]) => m - n || (BigInt(a) < BigInt(b) ? -1 : 1))
      .slice(0, 50);
    expect(hitters.top(50)).toEqual(top.map(([id, count]) => ({ id, atLeast: count, atMost: count })));
  });

  test.each(Array.from({ length: rounds(3) }, (_, k) => k))(
    'gives ranges that hold the true count when there are too many distinct IDs, round %d',
    (seed) => {
      const capacity = 64,
        ids = makeIds(20_000, 4000, 100 + seed),
        hitters = new HeavyHitters(capacity),
        truth = truthOf(ids);
      for (let from = 0; from < ids.length; from += 500)
        runWithoutPause(hitters.addInSteps(wordsOf(ids.slice(from, from + 500))));
      const kept = hitters.top(capacity);
      expect(kept.length).toBeLessThanOrEqual(capacity);
      expect(hitters.missed).toBeGreaterThan(0);
      // The bound of the paper.
      expect(hitters.missed).toBeLessThanOrEqual(hitters.total / (capacity + 1));
      for (const { id, atLeast, atMost } of kept) {
        expect(truth.get(id)!).toBeGreaterThanOrEqual(atLeast);
        expect(truth.get(id)!).toBeLessThanOrEqual(atMost);
      }
      const known = new Set(kept.map(({ id }) => id));
      for (const [id, count] of truth) if (!known.has(id)) expect(count).toBeLessThanOrEqual(hitters.missed);
    },
  );
});

describe('PointSamples', () => {
  const COUNT = 200_000,
    points = Float64Array.from({ length: 3 * COUNT }, (_, k) => (k % 3 === 0 ? k / 3 : k % 3)),
    status = Uint8Array.from({ length: COUNT }, (_, k) => (k % 50_000 === 17 ? 8 : k % 5 === 0 ? 2 : 1));
  const sampled = (): ReturnType<PointSamples['samples']> => {
    const samples = new PointSamples(500);
    for (let from = 0; from < COUNT; from += 30_000)
      samples.add(points.subarray(3 * from, 3 * (from + 30_000)), status.subarray(from, from + 30_000));
    return samples.samples();
  };

  test('keeps all points of a rare status, and a bounded number of each other, which all have that status', () => {
    const found = sampled();
    expect(found.map(({ code, seen, points: kept }) => [code, seen, kept.length / 3])).toEqual([
      [1, status.filter((code) => code === 1).length, 500],
      [2, status.filter((code) => code === 2).length, 500],
      [8, 4, 4],
    ]);
    for (const { code, points: kept } of found)
      for (let k = 0; k < kept.length; k += 3)
        expect([status[kept[k]], kept[k + 1], kept[k + 2]]).toEqual([code, 1, 2]);
  });

  test('takes points evenly from the whole table, and no point twice', () => {
    const [{ points: kept }] = sampled(),
      rows = Array.from({ length: 500 }, (_, k) => kept[3 * k]);
    expect(new Set(rows).size).toBe(500);
    // 50 of each tenth are expected; the seed is fixed, and 5 standard deviations are 34.
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = rows.filter((row) => Math.floor((10 * row) / COUNT) === tenth).length;
      expect(Math.abs(inside - 50)).toBeLessThan(34);
    }
  });

  test('gives the same sample for the same points', () => expect(sampled()).toEqual(sampled()));

  test('leaves out points that are nowhere', () => {
    const samples = new PointSamples();
    samples.add([NaN, 1, 2, 3, Infinity, 4, 5, 6, 7], Uint8Array.of(5, 5, 1));
    expect(samples.samples()).toEqual([{ code: 1, seen: 1, points: Float64Array.of(5, 6, 7) }]);
  });
});

describe('RunTimeline', () => {
  test('keeps every amount in at most 240 intervals, however long the run', () => {
    const timeline = new RunTimeline();
    for (let k = 0; k < 5000; k++) timeline.add('points', k * 977, 3);
    timeline.add('retries', 4999 * 977, 2);
    const { widthMs, counts } = timeline.toJSON();
    expect(counts.points.length).toBeLessThanOrEqual(240);
    expect(widthMs * counts.points.length).toBeGreaterThan(4999 * 977);
    expect(counts.points.reduce((sum, count) => sum + count, 0)).toBe(15_000);
    expect(counts.retries.findIndex((count) => count > 0)).toBe(Math.floor((4999 * 977) / widthMs));
  });

  test('joins runs by their clocks: side by side if they overlap, without the pause between others', () => {
    const timelineOf = (
      entries: readonly [ms: number, points: number][],
    ): ReturnType<RunTimeline['toJSON']> => {
      const timeline = new RunTimeline();
      for (const [ms, points] of entries) timeline.add('points', ms, points);
      return timeline.toJSON();
    };
    const joined = joinTimelines(
      [
        {
          startMs: 1_000_000,
          ms: 10_000,
          timeline: timelineOf([
            [0, 100],
            [9990, 50],
          ]),
        },
        { startMs: 1_005_000, ms: 10_000, timeline: timelineOf([[9990, 7]]) },
        { startMs: 9_000_000, ms: 5_000, timeline: timelineOf([[0, 11]]) },
      ],
      20,
    );
    expect([joined.activeMs, joined.widthMs, joined.gaps]).toEqual([20_000, 1000, [15]]);
    expect(joined.counts.points.map((count) => Math.round(count * 1000) / 1000)).toEqual(
      Array.from({ length: 20 }, (_, second) => ({ 0: 100, 9: 50, 14: 7, 15: 11 })[second] ?? 0),
    );
    for (const name of SERIES) expect(joined.counts[name]).toHaveLength(20);
  });

  test('joins nothing to nothing', () => expect(joinTimelines([]).activeMs).toBe(0));
});

describe('AnswerCollector', () => {
  test('counts statuses, and finds bounds and roots, in bounded memory for a million points and 100,000 roots', () => {
    const COUNT = 1_000_000,
      points = new Int32Array(3 * COUNT),
      status = new Uint8Array(COUNT).fill(1),
      roots = new BigUint64Array(COUNT);
    for (let k = 0; k < COUNT; k++) {
      points[3 * k] = (k * 7919) % 100_003;
      points[3 * k + 1] = -(k % 1009);
      points[3 * k + 2] = 40;
      roots[k] = (1n << 61n) + BigInt(k % 3 === 0 ? 77 : k % 100_000);
    }
    status.fill(8, 0, 1000);
    const collector = new AnswerCollector(['']);
    runWithoutPause(collector.addInSteps(0, points, { status, roots: wordsOf(roots) }));
    const { statuses, bounds, roots: found, samples } = collector.summarize();
    expect(statuses).toEqual([{ ok: 999_000, failed: 1000 }]);
    expect(bounds).toEqual({ min: [0, -1008, 40], max: [100_002, 0, 40] });
    expect(found.isExact).toBe(false);
    expect(found.distinct).toBeLessThanOrEqual(2 ** 16);
    const [{ id, atLeast, atMost }] = found.top,
      truth = roots.filter((root) => root === (1n << 61n) + 77n).length;
    expect(id).toBe(String((1n << 61n) + 77n));
    expect(atLeast).toBeLessThanOrEqual(truth);
    expect(atMost).toBeGreaterThanOrEqual(truth);
    expect(JSON.stringify(samples).length).toBeLessThan(200_000);
  });
});

describe('URLs and messages in a report', () => {
  test.each([
    ['https://user:word@host.org/a/b?token=1#x', 'https://host.org/a/b'],
    ['graphene://https://me@host.org/t?q=1', 'graphene://https://host.org/t'],
    ['see https://a.org/x?sig=AB and s3://k:s@b/c?d', 'see https://a.org/x and s3://b/c'],
    ['gs://bucket/path', 'gs://bucket/path'],
  ])('%s has no credentials', (given, shown) => {
    expect(safeUrl(given)).toBe(shown);
    expect(safeMessage(given)).toBe(shown);
  });

  test.each([
    ['https://user@host.org:8080/a', 'host.org:8080'],
    ['gs://bucket/a/b', 'gs://bucket'],
    ['file:///data/x', 'file'],
    ['/data/x', 'this machine'],
    ['graphene://https://host.org/table/x', 'host.org'],
  ])('%s is of the host %s', (url, host) => expect(hostOf(url)).toBe(host));
});
