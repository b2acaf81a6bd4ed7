/** Look-ups of very many IDs: each failure keeps its own reason, and the event loop is not blocked. */
import { describe, expect, test } from '@jest/globals';
import { DeadlineError } from '../../../lib/base/errors.ts';
import { CooperativeRunner } from '../../../lib/base/cooperative-work.ts';
import type { RootsRequest } from '../../../lib/chunkedgraph/server/chunkedgraph-client.ts';
import { IdLayout } from '../../../lib/chunkedgraph/ids/id-layout.ts';
import { RootBatcher, type RootBatcherOptions } from '../../../lib/chunkedgraph/roots/root-batcher.ts';
import { RootCache } from '../../../lib/chunkedgraph/root-cache/root-cache.ts';
import {
  findFailureReason,
  RootOutcome,
  type RootsAnswer,
} from '../../../lib/chunkedgraph/roots/root-source.ts';
import { ServerClock } from '../../../lib/chunkedgraph/server/server-clock.ts';
import { seeded } from '../../../testing/random.ts';

const N_LAYERS = 4,
  TIMESTAMP = 7000;
const { ok, failed, zero } = RootOutcome;
const layout = new IdLayout({
  layerBits: 8,
  spatialBits: new Map([
    [1, 10],
    [2, 10],
  ]),
});
const id = (segment: number, layer = 1): bigint => (BigInt(layer) << 56n) | BigInt(segment);
const segmentOf = (of: bigint): number => Number(of & 0xffff_ffffn);
const rootOf = (of: bigint): bigint => id(Math.floor(segmentOf(of) / 3) + 1, N_LAYERS);

type Answer = (ids: BigUint64Array) => BigUint64Array | Promise<BigUint64Array>;

function batcherOf(answer: Answer, options: Partial<RootBatcherOptions> = {}): RootBatcher {
  const clock = new ServerClock({ clocks: { wall: () => 1e12, steady: () => 0 } });
  const answerAsync = async (ids: BigUint64Array, _: RootsRequest): Promise<BigUint64Array> => answer(ids);
  return new RootBatcher({
    client: { roots: answerAsync, currentRoots: answerAsync, clock },
    ids: layout,
    nLayers: N_LAYERS,
    ...options,
  });
}

describe('thousands of failures between answers', () => {
  const COUNT = 6000;
  /** All IDs. At most two failures come in a row; after more, the rest would fail without a request. */
  const every = (layer: number): bigint[] => Array.from({ length: COUNT }, (_, k) => id(k, layer));
  const shuffled = (seed: number, list: bigint[]): BigUint64Array => {
    const random = seeded(seed);
    for (let k = list.length - 1; k > 0; k--) {
      const other = random.below(k + 1);
      [list[k], list[other]] = [list[other], list[k]];
    }
    return BigUint64Array.from(list);
  };
  /** Each odd ID fails with its own reason, and each even ID has a root. A root is its own root. */
  const answer: Answer = (ids) => {
    const [one] = ids;
    if (segmentOf(one) % 2 === 1) throw new Error(`reason of ${one}`);
    return ids.map((of) => (of >> 56n === 1n ? rootOf(of) : of));
  };
  const expectEach = (ids: BigUint64Array, found: RootsAnswer): void => {
    for (const [i, of] of ids.entries()) {
      const isRoot = of >> 56n === 4n,
        fails = of !== 0n && segmentOf(of) % 2 === 1;
      const expected = [
        fails ? failed : of === 0n ? zero : ok,
        fails || of === 0n ? 0n : isRoot ? of : rootOf(of),
        fails ? `reason of ${of}` : undefined,
      ];
      const got = [found.outcomes[i], found.rootIds[i], findFailureReason(found, i)?.message];
      if (got.some((value, k) => value !== expected[k]))
        throw new Error(`${of}: ${got.join()} instead of ${expected.join()}`);
    }
  };

  test('give each ID its own reason, whichever look-up requested it first', async () => {
    const batcher = batcherOf(answer, { batchSize: 1 });
    const first = shuffled(7, [...every(1), ...every(N_LAYERS), 0n, ...every(1)]),
      second = shuffled(8, [0n, ...every(1), ...every(N_LAYERS)]);
    const early = batcher.lookUp(first, { timestampMs: TIMESTAMP, validate: true });
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const late = batcher.lookUp(second, { timestampMs: TIMESTAMP, validate: true });
    expectEach(first, await early);
    expectEach(second, await late);
    expect((await early).failures.length).toBeGreaterThan(1000);
  });

  test('give each ID its own reason, also behind a cache that knows some of the roots', async () => {
    const batcher = batcherOf(answer, { batchSize: 1 });
    const cache = new RootCache({
      source: batcher,
      history: {
        isLatest: async (roots) => Array.from(roots, () => true),
        createdMs: async (roots) => new Float64Array(roots.length),
      },
      graph: 'g',
      ids: layout,
      nLayers: N_LAYERS,
      windowClock: { now: () => 1e12, isSettled: () => true },
    });
    await cache.lookUp(BigUint64Array.from(every(1).filter((of) => segmentOf(of) % 4 === 0)), {
      timestampMs: TIMESTAMP,
    });
    const ids = shuffled(9, every(1)),
      found = await cache.lookUp(ids, { timestampMs: TIMESTAMP });
    expectEach(ids, found);
    expect(found.cached).toBe(COUNT / 4);
  });
});

describe('a look-up of very many IDs', () => {
  const COUNT = 50_000;
  const ids = BigUint64Array.from({ length: COUNT }, (_, k) => (k % 50 === 0 ? 0n : id((k * 7919) % COUNT)));

  /** Each reading of the clock takes 4 milliseconds. */
  function pacerOf(onTurn: (turn: number) => void = () => undefined) {
    let now = 0,
      began = 0,
      turns = 0;
    const held: number[] = [];
    const afterTurn = (act: () => void): void =>
      void setImmediate(() => {
        held.push(now - began);
        began = now;
        onTurn(++turns);
        act();
      });
    return { held, runner: new CooperativeRunner({ now: () => (now += 4), afterLoopTurn: afterTurn }) };
  }
  const check = (found: RootsAnswer, mayFail: boolean): void => {
    for (let i = 0; i < COUNT; i++) {
      const outcome = found.outcomes[i],
        root = found.rootIds[i];
      const isRight =
        outcome === failed
          ? mayFail && root === 0n && findFailureReason(found, i) instanceof DeadlineError
          : outcome === (ids[i] === 0n ? zero : ok) && root === (ids[i] === 0n ? 0n : rootOf(ids[i]));
      if (!isRight) throw new Error(`${ids[i]}: ${outcome} ${root} ${findFailureReason(found, i)?.message}`);
    }
  };
  const answer: Answer = (list) => list.map(rootOf);
  const history = {
    isLatest: async (roots: BigUint64Array) => Array.from(roots, () => true),
    createdMs: async (roots: BigUint64Array) => new Float64Array(roots.length),
  };
  const cacheOf = (source: RootBatcher, runner: CooperativeRunner): RootCache =>
    new RootCache({
      source,
      history,
      graph: 'g',
      ids: layout,
      nLayers: N_LAYERS,
      runner,
      windowClock: { now: () => 1e12, isSettled: () => true },
    });

  test('lets the event loop run every few milliseconds, with and without a cache', async () => {
    const { held, runner } = pacerOf(),
      batcher = batcherOf(answer, { runner });
    check(await batcher.lookUp(ids, { timestampMs: TIMESTAMP }), false);
    const cache = cacheOf(batcher, runner);
    for (let again = 0; again < 2; again++) check(await cache.lookUp(ids, { timestampMs: TIMESTAMP }), false);
    expect(held.length).toBeGreaterThan(20);
    expect(Math.max(...held)).toBeLessThanOrEqual(20);
  });

  test('gives each ID its root or a reason, whenever the deadline comes', async () => {
    for (const cached of [false, true])
      for (let at = 1; at < 36; at += 5) {
        const controller = new AbortController();
        const { runner } = pacerOf((turn) =>
          turn === at ? controller.abort(new DeadlineError(100)) : undefined,
        );
        const batcher = batcherOf(answer, { runner, batchSize: 9000 });
        check(
          await (cached ? cacheOf(batcher, runner) : batcher).lookUp(ids, {
            timestampMs: TIMESTAMP,
            signal: controller.signal,
          }),
          true,
        );
      }
  });

  test('rejects with the reason of an abort, whenever it comes', async () => {
    for (let at = 1; at < 7; at++) {
      const controller = new AbortController(),
        reason = new Error('enough');
      const { runner } = pacerOf((turn) => (turn === at ? controller.abort(reason) : undefined));
      await expect(
        batcherOf(answer, { runner }).lookUp(ids, { timestampMs: TIMESTAMP, signal: controller.signal }),
      ).rejects.toBe(reason);
    }
  });

  test('copies very many answers of an earlier look-up in parts', async () => {
    const list = BigUint64Array.from({ length: 300_000 }, (_, k) => id(k + 1));
    const runner = new CooperativeRunner(),
      pause = runner.pause.bind(runner);
    let pauses = 0,
      requests = 0,
      open!: () => void;
    runner.pause = () => (pauses++, pause());
    runner.isDue = () => false; // so work that pauses only when it is due never pauses
    const gate = new Promise<void>((resolve) => (open = resolve));
    const batcher = batcherOf(
      async (requested) => (++requests === 3 && (await gate), requested.map(rootOf)),
      { runner },
    );
    const first = batcher.lookUp(list, { timestampMs: TIMESTAMP });
    while (requests < 3) await new Promise(setImmediate);
    const second = batcher.lookUp(list, { timestampMs: TIMESTAMP });
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(pauses).toBeGreaterThan(0);
    open();
    for (const { rootIds, outcomes } of await Promise.all([first, second])) {
      expect(rootIds.every((root, k) => root === rootOf(list[k]))).toBe(true);
      expect(outcomes.every((outcome) => outcome === ok)).toBe(true);
    }
    expect(requests).toBe(3);
  });

  test('rejects for all callers if there is no memory to sort the IDs', async () => {
    const runner = new CooperativeRunner();
    const run = runner.run.bind(runner);
    let works = 0;
    runner.run = ((...work: Parameters<typeof run>) => {
      // after the empty answer, and the IDs that need no request
      if (++works === 3) throw new RangeError('Array buffer allocation failed');
      return run(...work);
    }) as typeof runner.run;
    await expect(
      batcherOf(answer, { runner }).lookUp(BigUint64Array.of(id(3)), { timestampMs: TIMESTAMP }),
    ).rejects.toThrow('allocation failed');
  });
});
