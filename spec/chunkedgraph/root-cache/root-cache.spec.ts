/** What is asked, and what not: counted against a simulated server. */
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
/** Well after the last edit has settled. */
const settle = (graph: SimulatedGraph): number => (graph.nowMs += 10 * SETTLE_MS) - 2 * SETTLE_MS;

describe('a root cache', () => {
  test('answers a settled moment again without a request, duplicates and zeros in their places', async () => {
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
    expect(server.asked).toEqual([ids, [0n]]); // which the real source answers by itself
    expect(again).toMatchObject({ settled: true, timestampMs, failures: [] });
  });

  test('holds a root for all that is between two sightings, of any of its supervoxels', async () => {
    const { lookUp, server, graph } = world();
    await lookUp([ALL[0]], { timestampMs: BASE_MS + 10 });
    await lookUp([ALL[0]], { timestampMs: BASE_MS + 20 });
    server.askedLatest.length = server.asked.length = 0;
    await lookUp([ALL[1]], { timestampMs: BASE_MS + 5 });
    expect((await lookUp([ALL[0], ALL[1]], { timestampMs: BASE_MS + 15 })).rootIds).toEqual(
      BigUint64Array.of(graph.truth(0, BASE_MS), graph.truth(0, BASE_MS)),
    );
    expect([server.asked, server.askedLatest]).toEqual([[[ALL[1]]], []]);
  });

  test('for a later moment asks about the distinct roots, and looks up only what is under those that are no more', async () => {
    const { lookUp, server, graph, cache } = world();
    const before = await lookUp(ALL, { timestampMs: settle(graph) });
    graph.edit('merge', 0, 1);
    const timestampMs = settle(graph);
    server.asked.length = 0;
    const after = await lookUp(ALL, { timestampMs });
    expect([...after.rootIds]).toEqual(ALL.map((_, n) => graph.truth(n, timestampMs)));
    expect(server.askedLatest).toEqual([[...new Set(before.rootIds)].sort()]);
    expect(server.asked).toEqual([ALL.slice(0, 4)]);
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

  test('before all that is known looks up; with extendToCreation it asks once when the root was made', async () => {
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
      expect(server.askedCreated).toEqual(extendToCreation ? [[graph.truth(0, BASE_MS)]] : []);
      expect(server.asked.length).toBe(extendToCreation ? 2 : 3);
      expect(server.askedLatest).toEqual([]);
    }
  });

  test('keeps of an unsettled moment that a supervoxel is under a root, not that the root is current', async () => {
    const { lookUp, server, graph } = world();
    const now = await lookUp(ALL);
    expect([now.settled, now.timestampMs]).toEqual([false, graph.nowMs]);
    const again = await lookUp(ALL);
    expect([again.cached, again.settled]).toEqual([8, false]);
    expect([server.asked.length, server.askedLatest.length]).toEqual([1, 1]);
    const later = await lookUp(ALL, { timestampMs: settle(graph) });
    expect(later).toMatchObject({ cached: 8, settled: true });
    expect([server.asked.length, server.askedLatest.length]).toEqual([1, 2]);
  });

  test('asks about roots once for all who ask in one turn, at one instant', async () => {
    const { lookUp, server } = world();
    await lookUp(ALL);
    server.asked.length = 0;
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => lookUp([ALL[n % 8]])));
    expect(answers.every(({ cached }) => cached === 1)).toBe(true);
    expect([server.asked, server.askedLatest.length]).toEqual([[], 1]);
  });

  test('looks up what it could not ask about', async () => {
    const { lookUp, server, graph, cache } = world();
    await lookUp(ALL, { timestampMs: BASE_MS + 1 });
    server.failing = true;
    const answer = await lookUp(ALL, { timestampMs: BASE_MS + 2 });
    expect([...answer.rootIds]).toEqual(ALL.map((_, n) => graph.truth(n, BASE_MS)));
    expect([answer.cached, cache.stats.failed, server.asked.length]).toEqual([0, 1, 2]);
  });

  test('keeps nothing of what failed', async () => {
    const { lookUp, server } = world();
    server.failing = true;
    expect([...(await lookUp([ALL[0]], { timestampMs: BASE_MS })).outcomes]).toEqual([RootOutcome.failed]);
    expect([...(await lookUp([ALL[0]], { timestampMs: BASE_MS })).outcomes]).toEqual([RootOutcome.ok]);
    expect(server.asked.length).toBe(2);
  });

  test('asks anew after maxAgeMs, and after clear(), as a repaired server wants it', async () => {
    const { lookUp, server, graph, cache } = world({ maxAgeMs: 1000 });
    const ask = async (): Promise<unknown> => (await lookUp([ALL[0]], { timestampMs: BASE_MS })).cached;
    expect([await ask(), await ask()]).toEqual([0, 1]);
    graph.nowMs += 999;
    expect(await ask()).toBe(1);
    graph.nowMs += 1;
    expect([await ask(), await ask()]).toEqual([0, 1]);
    cache.clear();
    expect([await ask(), await ask()]).toEqual([0, 1]);
    expect(server.asked.length).toBe(3);
    expect(cache.stats).toMatchObject({ entries: 1, roots: 1 });
  });

  test('leaves other layers to the server, and the IDs of other layers', async () => {
    const { lookUp, server, graph } = world();
    const level2 = [...graph.level2.keys()][0];
    for (let k = 0; k < 2; k++) {
      await lookUp([ALL[0]], { timestampMs: BASE_MS, stopLayer: 2 });
      await lookUp([level2], { timestampMs: BASE_MS });
    }
    expect(server.asked).toEqual([[ALL[0]], [level2], [ALL[0]], [level2]]);
  });

  test('lets one caller leave, and the others have their answer', async () => {
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
    expect(server.askedLatest.length).toBe(1);
  });

  test('drops the question about roots when nobody waits for it', async () => {
    const { lookUp, server } = world();
    await lookUp(ALL);
    const leaving = new AbortController(),
      gone = lookUp(ALL, { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    await new Promise(setImmediate);
    expect(server.askedLatest).toEqual([]);
  });
});
