/** Which requests the root cache sends, and which it avoids: counted at a simulated server. */
import { describe, expect, test } from '@jest/globals';
import { RootCache, type RootCacheOptions } from '../../../lib/chunkedgraph/root-cache/root-cache.ts';
import { RootOutcome, type RootLookUpOptions } from '../../../lib/chunkedgraph/roots/root-source.ts';
import {
  BASE_MS,
  IDS,
  N_LAYERS,
  SETTLE_MS,
  SimulatedGraph,
  SimulatedServer,
  supervoxel,
  unknownSupervoxel,
} from './simulated-graph.ts';

function world(options: RootCacheOptions = {}) {
  const graph = new SimulatedGraph(8, 1),
    server = new SimulatedServer(graph);
  const cache = new RootCache(
    { source: server, history: server, graph: 'g', ids: IDS, nLayers: N_LAYERS, windowClock: server },
    options,
  );
  const lookUp = (ids: readonly bigint[], question?: RootLookUpOptions) =>
    cache.lookUp(BigUint64Array.from(ids), question);
  return { graph, server, cache, lookUp };
}

const ALL = Array.from({ length: 8 }, (_, n) => supervoxel(n));
/** Advances the time, and returns a timestamp long after the last edit has settled. */
const settle = (graph: SimulatedGraph): number => (graph.nowMs += 10 * SETTLE_MS) - 2 * SETTLE_MS;

describe('a root cache', () => {
  test('answers again at a settled timestamp without a request, with duplicates and zeros in order', async () => {
    const { lookUp, server, graph } = world();
    const timestampMs = graph.nowMs - SETTLE_MS,
      ids = [ALL[3], 0n, ALL[0], ALL[3], unknownSupervoxel(1)];
    const first = await lookUp(ids, { timestampMs }),
      again = await lookUp([...ids].reverse(), { timestampMs });
    expect([...again.rootIds]).toEqual([...first.rootIds].reverse());
    expect([...again.outcomes]).toEqual([
      RootOutcome.noRoot,
      RootOutcome.ok,
      RootOutcome.ok,
      RootOutcome.zero,
      RootOutcome.ok,
    ]);
    expect([first.cached, again.cached]).toEqual([0, 4]);
    expect(server.requested).toEqual([ids, [0n]]); // the real source answers zeros without a request
    expect(again).toMatchObject({ settled: true, timestampMs, failures: [] });
  });

  test('looks up each supervoxel of a long list with many repeats once, and counts all IDs', async () => {
    const { lookUp, server, graph, cache } = world();
    const timestampMs = graph.nowMs - SETTLE_MS,
      some = [ALL[5], unknownSupervoxel(1), 0n, ALL[2]];
    await lookUp([ALL[5], ALL[0]], { timestampMs });
    server.requested.length = 0;
    const ids = Array.from({ length: 2 ** 15 + 1 }, (_, k) => some[(k % 13) % 4]);
    const answer = await lookUp(ids, { timestampMs });
    const known = ids.filter((id) => id === ALL[5]).length;
    expect(server.requested).toEqual([some.slice(1)]);
    expect(answer).toMatchObject({ cached: known, settled: true, timestampMs, failures: [] });
    expect(cache.stats).toMatchObject({ hits: known, misses: ids.length - known + 2 });
    const each = await lookUp(some, { timestampMs });
    expect([...answer.rootIds]).toEqual(ids.map((id) => each.rootIds[some.indexOf(id)]));
    expect([...answer.outcomes]).toEqual(ids.map((id) => each.outcomes[some.indexOf(id)]));
  });

  test('knows a root at all timestamps between two look-ups of any of its supervoxels', async () => {
    const { lookUp, server, graph } = world();
    await lookUp([ALL[0]], { timestampMs: BASE_MS + 10 });
    await lookUp([ALL[0]], { timestampMs: BASE_MS + 20 });
    server.requestedLatest.length = server.requested.length = 0;
    await lookUp([ALL[1]], { timestampMs: BASE_MS + 5 });
    expect((await lookUp([ALL[0], ALL[1]], { timestampMs: BASE_MS + 15 })).rootIds).toEqual(
      BigUint64Array.of(graph.truth(0, BASE_MS), graph.truth(0, BASE_MS)),
    );
    expect([server.requested, server.requestedLatest]).toEqual([[[ALL[1]]], []]);
  });

  test('at a later timestamp, checks the distinct roots, and looks up only supervoxels under replaced ones', async () => {
    const { lookUp, server, graph, cache } = world();
    const before = await lookUp(ALL, { timestampMs: settle(graph) });
    graph.edit('merge', 0, 1);
    const timestampMs = settle(graph);
    server.requested.length = 0;
    const after = await lookUp(ALL, { timestampMs });
    expect([...after.rootIds]).toEqual(ALL.map((_, n) => graph.truth(n, timestampMs)));
    expect(server.requestedLatest).toEqual([[...new Set(before.rootIds)].sort()]);
    expect(server.requested).toEqual([ALL.slice(0, 4)]);
    expect(after).toMatchObject({ cached: 4, requests: 2, distinct: 4 });
    expect(cache.stats).toMatchObject({
      entries: 12,
      roots: 5,
      hits: 4,
      misses: 12,
      confirmed: 2,
      expired: 2,
      evicted: 0,
      failed: 0,
    });
  });

  test('looks up supervoxels at an earlier timestamp, or with extendToCreation requests the creation time once', async () => {
    for (const extendToCreation of [false, true]) {
      const { lookUp, server, graph } = world({ extendToCreation });
      await lookUp(ALL.slice(0, 2), { timestampMs: BASE_MS + 100 });
      const answers = [
        await lookUp([ALL[0]], { timestampMs: BASE_MS }),
        await lookUp([ALL[1]], { timestampMs: BASE_MS + 1 }),
        await lookUp([ALL[0]], { timestampMs: BASE_MS - 1 }),
      ];
      expect(answers.map(({ rootIds }) => rootIds[0])).toEqual([
        graph.truth(0, BASE_MS),
        graph.truth(0, BASE_MS),
        0n,
      ]);
      expect(server.requestedCreated).toEqual(extendToCreation ? [[graph.truth(0, BASE_MS)]] : []);
      expect(server.requested.length).toBe(extendToCreation ? 2 : 3);
      expect(server.requestedLatest).toEqual([]);
    }
  });

  test('keeps from an unsettled timestamp that a supervoxel is under a root, but not that the root is current', async () => {
    const { lookUp, server, graph } = world();
    const now = await lookUp(ALL);
    expect([now.settled, now.timestampMs]).toEqual([false, graph.nowMs]);
    const again = await lookUp(ALL);
    expect([again.cached, again.settled]).toEqual([8, false]);
    expect([server.requested.length, server.requestedLatest.length]).toEqual([1, 1]);
    const later = await lookUp(ALL, { timestampMs: settle(graph) });
    expect(later).toMatchObject({ cached: 8, settled: true });
    expect([server.requested.length, server.requestedLatest.length]).toEqual([1, 2]);
  });

  test('checks roots once for all look-ups of one turn, at one timestamp', async () => {
    const { lookUp, server } = world();
    await lookUp(ALL);
    server.requested.length = 0;
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => lookUp([ALL[n % 8]])));
    expect(answers.every(({ cached }) => cached === 1)).toBe(true);
    expect([server.requested, server.requestedLatest.length]).toEqual([[], 1]);
  });

  test('looks up supervoxels if the check of their roots failed', async () => {
    const { lookUp, server, graph, cache } = world();
    await lookUp(ALL, { timestampMs: BASE_MS + 1 });
    server.failing = true;
    const answer = await lookUp(ALL, { timestampMs: BASE_MS + 2 });
    expect([...answer.rootIds]).toEqual(ALL.map((_, n) => graph.truth(n, BASE_MS)));
    expect([answer.cached, cache.stats.failed, server.requested.length]).toEqual([0, 1, 2]);
  });

  test('keeps nothing from a failed look-up', async () => {
    const { lookUp, server } = world();
    server.failing = true;
    expect([...(await lookUp([ALL[0]], { timestampMs: BASE_MS })).outcomes]).toEqual([RootOutcome.failed]);
    expect([...(await lookUp([ALL[0]], { timestampMs: BASE_MS })).outcomes]).toEqual([RootOutcome.ok]);
    expect(server.requested.length).toBe(2);
  });

  test('looks up again after maxAgeMs and after clear(), in case the server was repaired', async () => {
    const { lookUp, server, graph, cache } = world({ maxAgeMs: 1000 });
    const cachedCount = async (): Promise<unknown> =>
      (await lookUp([ALL[0]], { timestampMs: BASE_MS })).cached;
    expect([await cachedCount(), await cachedCount()]).toEqual([0, 1]);
    graph.nowMs += 999;
    expect(await cachedCount()).toBe(1);
    graph.nowMs += 1;
    expect([await cachedCount(), await cachedCount()]).toEqual([0, 1]);
    cache.clear();
    expect([await cachedCount(), await cachedCount()]).toEqual([0, 1]);
    expect(server.requested.length).toBe(3);
    expect(cache.stats).toMatchObject({ entries: 1, roots: 1 });
  });

  test('passes other stop layers, and IDs of other layers, to the server', async () => {
    const { lookUp, server, graph } = world();
    const level2 = [...graph.level2.keys()][0];
    for (let k = 0; k < 2; k++) {
      await lookUp([ALL[0]], { timestampMs: BASE_MS, stopLayer: 2 });
      await lookUp([level2], { timestampMs: BASE_MS });
    }
    expect(server.requested).toEqual([[ALL[0]], [level2], [ALL[0]], [level2]]);
  });

  test('answers the other callers after one has left', async () => {
    const { lookUp, server } = world();
    await lookUp(ALL);
    const leaving = new AbortController(),
      reason = new Error('enough');
    const gone = lookUp(ALL, { signal: leaving.signal }),
      staying = lookUp(ALL);
    leaving.abort(reason);
    await expect(gone).rejects.toBe(reason);
    expect((await staying).cached).toBe(8);
    await expect(lookUp(ALL, { signal: leaving.signal })).rejects.toBe(reason);
    expect(server.requestedLatest.length).toBe(1);
  });

  test('drops the check of roots when no caller is left', async () => {
    const { lookUp, server } = world();
    await lookUp(ALL);
    const leaving = new AbortController(),
      gone = lookUp(ALL, { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    await new Promise(setImmediate);
    expect(server.requestedLatest).toEqual([]);
  });
});
