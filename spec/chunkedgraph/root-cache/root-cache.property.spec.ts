/** The root cache, compared with brute force: any edits at any times, look-ups at any timestamps in any order, and no wrong root. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RootCache, type RootCacheOptions } from '../../../lib/chunkedgraph/root-cache/root-cache.ts';
import { RootOutcome } from '../../../lib/chunkedgraph/roots/root-source.ts';
import { seeded } from '../../../testing/random.ts';
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
import { rounds } from '../../support/rounds.ts';

const SIZE = 12;
const NUMBER_OF = new Map(Array.from({ length: SIZE }, (_, n) => [supervoxel(n), n]));
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'root-cache-'))));
afterAll(() => rm(folder, { recursive: true }));

const number = fc.nat(1_000_000);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('merge' as const, 'split' as const, 'undo' as const),
      a: number,
      b: number,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.constantFrom(0, 1, 2), fc.nat(3 * SETTLE_MS)),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('lookUp' as const),
      // Before now, at an edit or one millisecond before or after it, or now.
      when: fc.oneof(
        fc.record({ agoMs: fc.nat(8 * SETTLE_MS) }),
        fc.record({ edit: number, offsetMs: fc.integer({ min: -1, max: 1 }) }),
        fc.constant('now' as const),
      ),
      which: fc.array(fc.nat(SIZE + 1), { maxLength: 2 * SIZE }),
      failing: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface World {
  graph: SimulatedGraph;
  server: SimulatedServer;
  cache: RootCache;
}

/** IDs of layer 2 and of the root layer are looked up, too: the cache must neither answer them nor learn from them. */
function lookUp({ graph, cache }: World, { when, which }: Extract<Step, { do: 'lookUp' }>) {
  const timestamps = [BASE_MS, ...[...graph.roots.values()].map(({ createdMs }) => createdMs)];
  const timestampMs =
    when === 'now'
      ? undefined
      : 'agoMs' in when
        ? graph.nowMs - when.agoMs
        : Math.min(timestamps[when.edit % timestamps.length] + when.offsetMs, graph.nowMs);
  const level2 = [...graph.level2.keys()],
    roots = [...graph.roots.keys()];
  const ids = which.flatMap((n) =>
    n < SIZE
      ? [supervoxel(n)]
      : n === SIZE
        ? [unknownSupervoxel(n), level2[which.length % level2.length]]
        : [0n, roots[which.length % roots.length]],
  );
  const buffer = BigUint64Array.from(ids),
    answer = cache.lookUp(buffer, { timestampMs });
  // the caller may reuse the array at once
  buffer.fill(supervoxel(which.length % SIZE));
  return { ids, answer };
}

async function run(
  steps: readonly Step[],
  seed: number,
  options: RootCacheOptions,
  withFailures: boolean,
): Promise<World> {
  const graph = new SimulatedGraph(SIZE, seed),
    random = seeded(seed + 1);
  const server = new SimulatedServer(graph, () => random.pick([0, 0, 1, SETTLE_MS]));
  const open = (): RootCache =>
    new RootCache(
      {
        source: server,
        history: server,
        graph: 'https://host/table/t',
        ids: IDS,
        nLayers: N_LAYERS,
        windowClock: server,
      },
      options,
    );
  const world: World = { graph, server, cache: open() };
  for (const one of steps) {
    if (one.do === 'wait') graph.nowMs += one.ms;
    else if (one.do === 'reopen') {
      const file = join(folder, 'snapshot');
      await world.cache.save(file);
      world.cache = open();
      await world.cache.load(file);
    } else if (one.do !== 'lookUp') graph.edit(one.do, one.a, one.b);
    else {
      server.failing = withFailures && one.failing;
      const wasMs = graph.nowMs,
        { ids, answer } = lookUp(world, one);
      check(world, ids, await answer, wasMs);
    }
  }
  return world;
}

function check(
  { graph }: World,
  ids: readonly bigint[],
  answer: Awaited<ReturnType<RootCache['lookUp']>>,
  askedMs: number,
): void {
  const { timestampMs, settled, rootIds, outcomes, failures } = answer;
  expect([settled, rootIds.length]).toEqual([timestampMs <= askedMs - SETTLE_MS, ids.length]);
  const wrong = ids.flatMap((id, i) => {
    const root = rootIds[i],
      outcome = outcomes[i],
      right = rightAnswers(graph, id, timestampMs, settled, askedMs);
    if (outcome === RootOutcome.failed && failures.length > 0 && root === 0n) return [];
    return right.some((one) => one.root === root && one.outcome === outcome)
      ? []
      : [{ id, root, outcome, right }];
  });
  expect(wrong).toEqual([]);
}

function rightAnswers(
  graph: SimulatedGraph,
  id: bigint,
  ms: number,
  settled: boolean,
  askedMs: number,
): { root: bigint; outcome: number }[] {
  const found = (root: bigint) => ({ root, outcome: root === 0n ? RootOutcome.noRoot : RootOutcome.ok });
  const n = NUMBER_OF.get(id);
  if (n !== undefined)
    return settled ? [found(graph.truth(n, ms))] : graph.possible(n, ms, askedMs).map(found);
  if (id === 0n) return [{ root: 0n, outcome: RootOutcome.zero }];
  if (id >> 56n === 4n) return [{ root: id, outcome: RootOutcome.notLookedUp }];
  return [found(graph.read(id, ms))];
}

const steps = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });

describe('a root cache', () => {
  test('never gives a wrong root, with any size and any maximum age, and after any failure', async () => {
    const options = fc.record({
      maxEntries: fc.constantFrom(1, 3, 10, 10_000),
      maxAgeMs: fc.constantFrom(1, 2 * SETTLE_MS, Infinity),
      extendToCreation: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), options, fc.boolean(), async (all, seed, chosen, failures) => {
        const { cache } = await run(all, seed, chosen, failures);
        expect(cache.stats.entries).toBeLessThanOrEqual(chosen.maxEntries);
        expect(cache.stats.roots).toBeLessThanOrEqual(cache.stats.entries);
      }),
      { seed: 5, numRuns: rounds(40) },
    );
  });

  test('sends no request twice for a settled timestamp', async () => {
    let answered = 0,
      hits = 0;
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        async (all, seed, extendToCreation, failures) => {
          const { server, cache } = await run(all, seed, { maxAgeMs: Infinity, extendToCreation }, failures);
          expect([...server.answered].filter(([, times]) => times > 1)).toEqual([]);
          answered += server.answered.size;
          hits += cache.stats.hits;
        },
      ),
      { seed: 6, numRuns: rounds(30) },
    );
    // The property is not empty: requests were sent, and others were avoided.
    expect(answered).toBeGreaterThan(rounds(1500));
    expect(hits).toBeGreaterThan(rounds(500));
  });

  test('gives no wrong root to other supervoxels if the server gives one a replaced root', async () => {
    let stale = 0;
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.nat(),
        fc.nat(SIZE - 1),
        fc.boolean(),
        async (all, seed, n, extendToCreation) => {
          const graph = new SimulatedGraph(SIZE, seed),
            server = new SimulatedServer(graph),
            ids = BigUint64Array.from(NUMBER_OF.keys());
          const cache = new RootCache(
            {
              source: server,
              history: server,
              graph: 'https://host/table/t',
              ids: IDS,
              nLayers: N_LAYERS,
              windowClock: server,
            },
            { maxAgeMs: Infinity, extendToCreation },
          );
          const timestampMs = graph.nowMs - SETTLE_MS;
          await cache.lookUp(ids, { timestampMs });
          graph.frozen.set(n, { ms: timestampMs, root: graph.truth(n, timestampMs) });
          for (const one of all) {
            if (one.do === 'wait') graph.nowMs += one.ms;
            else if (one.do !== 'lookUp') {
              if (one.do !== 'reopen') graph.edit(one.do, one.a, one.b);
            } else {
              const wasMs = graph.nowMs,
                request = lookUp({ graph, server, cache }, one),
                answer = await request.answer;
              const others = [...request.ids.keys()].filter((i) => request.ids[i] !== supervoxel(n));
              const rootIds = answer.rootIds.filter((_root, i) => request.ids[i] !== supervoxel(n)),
                outcomes = answer.outcomes.filter((_outcome, i) => request.ids[i] !== supervoxel(n));
              check(
                { graph, server, cache },
                others.map((i) => request.ids[i]),
                { ...answer, rootIds, outcomes },
                wasMs,
              );
              if (
                others.length < request.ids.length &&
                graph.truth(n, answer.timestampMs) !== graph.read(supervoxel(n), answer.timestampMs)
              )
                stale++;
            }
          }
        },
      ),
      { seed: 7, numRuns: rounds(10) },
    );
    expect(stale).toBeGreaterThan(rounds(8));
  });
});
