/**
 * Compares CAVEclient's `ChunkedGraphClient` with graphene-points and with a history made from root look-ups.
 */
import { seeded } from '../testing/random.ts';
import { compareGraphMethods } from './cave-graph-methods.ts';
import { timestampsAroundEdits, sample, toIds, type NodeLink, type CaveContext } from './cave-context.ts';
import type { Comparison } from './comparison.ts';
import { History } from './history.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';
import { openWorld, serveDemoWorld, servePcgWorld, serveStormWorld, type World } from './worlds.ts';

export const caveclient: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'caveclient_client.py');
  for (const serve of [serveDemoWorld, servePcgWorld, () => serveStormWorld(7, 250)]) {
    await using world = await serve();
    await compareCaveClient(client, world, comparison);
  }
};

export async function compareCaveClient(
  client: PythonClient,
  world: World,
  comparison: Comparison,
): Promise<void> {
  await using volume = await openWorld(world);
  const sides: CaveContext = {
    world,
    volume,
    comparison,
    history: await History.of(volume, world),
    random: seeded(2),
    theirs: (method, args) =>
      client.call('call_chunkedgraph', { server: world.origin, table: world.table, method, ...args }),
  };
  for (const compare of [
    compareRoots,
    compareLifetimes,
    compareLeaves,
    compareLineage,
    compareSuggestions,
    compareGraphMethods,
  ])
    await compare(sides);
}

async function compareRoots({ world, volume, random, comparison, theirs }: CaveContext): Promise<void> {
  const ids = BigUint64Array.of(0n, ...world.supervoxels, ...world.supervoxels.subarray(0, 50));
  for (const ms of timestampsAroundEdits(world, 25)) {
    const timestamp = new Date(ms),
      what = `${world.name} at ${timestamp.toISOString()}`;
    for (const stopLayer of [undefined, 2, 3, world.layers]) {
      const roots = await theirs<BigUint64Array>('get_roots', {
        supervoxel_ids: ids,
        timestamp,
        ...(stopLayer !== undefined && { stop_layer: stopLayer }),
      });
      comparison.values(
        `${what}: get_roots to layer ${stopLayer}`,
        roots,
        (await volume.roots(ids, { timestamp, stopLayer })).rootIds,
      );
    }
    const id = random.pick([...world.supervoxels]);
    comparison.same(
      `${what}: get_root_id of ${id}`,
      await theirs('get_root_id', { supervoxel_id: id, timestamp }),
      await volume.rootOf(id, { timestamp }),
    );
    comparison.same(
      `${what}: layer-2 ID of ${id}`,
      await theirs('get_root_id', { supervoxel_id: id, timestamp, level2: true }),
      await volume.rootOf(id, { timestamp, stopLayer: 2 }),
    );
  }
}

/**
 * Compares when roots were created and replaced. `is_latest_roots` looks before its timestamp, `get_roots` at
 * it.
 */
async function compareLifetimes({ world, history, comparison, theirs }: CaveContext): Promise<void> {
  const roots = [...history.roots.keys()];
  comparison.each(
    `${world.name}: get_root_timestamps`,
    await theirs<string[]>('get_root_timestamps', { root_ids: roots }),
    roots.map((root) => new Date(history.life(root).createdMs)),
  );
  for (const ms of timestampsAroundEdits(world, 25)) {
    const timestamp = new Date(ms),
      what = `${world.name} at ${timestamp.toISOString()}`;
    const nodes = [...roots, 0n, world.supervoxels[0]];
    const latest = nodes.map((root) => {
      const { createdMs, replacedMs } = history.roots.get(root) ?? { createdMs: Infinity, replacedMs: 0 };
      return createdMs < ms && replacedMs >= ms;
    });
    comparison.each(
      `${what}: is_latest_roots`,
      await theirs<boolean[]>('is_latest_roots', { root_ids: nodes, timestamp }),
      latest,
    );
    // The server fails for a root that was created in the same millisecond, because it looks before the timestamp.
    const created = roots.filter((root) => history.life(root).createdMs < ms);
    const last = created.map((root) => new Date(Math.min(history.life(root).replacedMs, ms) - 1));
    comparison.each(
      `${what}: get_root_timestamps, latest`,
      await theirs<string[]>('get_root_timestamps', { root_ids: created, latest: true, timestamp }),
      last,
    );
  }
  if (world.editsMs.length > 0)
    comparison.same(
      `${world.name}: get_oldest_timestamp`,
      await theirs('get_oldest_timestamp'),
      new Date(world.editsMs[0] - 500),
    );
}

async function compareLeaves({
  world,
  volume,
  history,
  random,
  comparison,
  theirs,
}: CaveContext): Promise<void> {
  const roots = sample(random, [...history.roots.keys()], 40);
  for (const root of roots) {
    const { supervoxels, createdMs } = history.life(root);
    comparison.sets(
      `${world.name}: get_leaves of ${root}`,
      toIds(await theirs('get_leaves', { root_id: root })),
      supervoxels,
    );
    const { rootIds } = await volume.roots(BigUint64Array.from(supervoxels), {
      timestamp: new Date(createdMs),
      stopLayer: 2,
    });
    comparison.sets(
      `${world.name}: get_leaves of ${root} to layer 2`,
      toIds(await theirs('get_leaves', { root_id: root, stop_layer: 2 })),
      new Set(rootIds),
    );
  }
  // Roots of one timestamp, each once: if roots share nodes, the server lists these only under the last of
  // the roots.
  const together = [
    ...new Set(sample(random, history.at(random.pick([world.baseMs, ...world.editsMs])), 40)),
  ];
  const many = await theirs<Record<string, BigInt64Array>>('get_leaves_many', { root_ids: together });
  for (const root of together)
    comparison.sets(
      `${world.name}: get_leaves_many, ${root}`,
      toIds(many[String(root)]),
      history.life(root).supervoxels,
    );
}

async function compareLineage({ world, history, random, comparison, theirs }: CaveContext): Promise<void> {
  const { name, baseMs, editsMs } = world;
  for (const root of sample(random, [...history.roots.keys()], 25)) {
    const life = history.life(root);
    for (const [pastMs, futureMs] of [
      [baseMs, Date.UTC(2025, 0, 1)],
      [life.createdMs, life.createdMs],
      [random.pick([baseMs, ...editsMs]), random.pick([baseMs, ...editsMs])],
    ]) {
      const back = (id: bigint): bigint[] =>
        history.life(id).createdMs < pastMs ? [] : history.previous(id);
      const forth = (id: bigint): bigint[] => (history.life(id).createdMs > futureMs ? [] : history.next(id));
      const before = history.closure(root, back),
        after = history.closure(root, forth);
      const links = [
        ...[...before].flatMap((id) => back(id).map((old) => `${old}>${id}`)),
        ...[...after].flatMap((id) => forth(id).map((other) => `${id}>${other}`)),
      ];
      const what = `${name}: get_lineage_graph of ${root} from ${new Date(pastMs).toISOString()} to ${new Date(futureMs).toISOString()}`;
      const graph = await theirs<NodeLink>('get_lineage_graph', {
        root_id: root,
        timestamp_past: new Date(pastMs),
        timestamp_future: new Date(futureMs),
      });
      comparison.sets(
        what,
        graph.nodes.map(({ id }) => BigInt(id)),
        new Set([...before, ...after]),
      );
      comparison.each(
        `${what}: links`,
        graph.links.map(({ source, target }) => `${source}>${target}`).sort(),
        [...new Set(links)].sort(),
      );
    }
    const originals = [...history.closure(root, (id) => history.previous(id))].filter(
      (id) => history.life(id).createdMs === baseMs,
    );
    comparison.sets(
      `${name}: get_original_roots of ${root}`,
      toIds(await theirs('get_original_roots', { root_id: root })),
      originals,
    );
    const ms = Math.max(life.createdMs + 1, random.pick([baseMs, ...editsMs]) + 1);
    const now = [...history.closure(root, (id) => history.next(id))].filter(
      (id) => history.life(id).createdMs <= ms && history.life(id).replacedMs > ms,
    );
    comparison.sets(
      `${name}: get_latest_roots of ${root} at ${new Date(ms).toISOString()}`,
      toIds(await theirs('get_latest_roots', { root_id: root, timestamp: new Date(ms) })),
      now,
    );
  }
  for (let k = 0; k < 20 && editsMs.length > 0; k++) {
    const [pastMs, futureMs] = [
      random.pick(editsMs) - random.below(2),
      random.pick(editsMs) + random.below(2),
    ].sort((a, b) => a - b);
    const within = (ms: number): boolean => pastMs <= ms && ms <= futureMs;
    const [old, fresh] = await theirs<[BigInt64Array, BigInt64Array]>('get_delta_roots', {
      timestamp_past: new Date(pastMs),
      timestamp_future: new Date(futureMs),
    });
    const lives = [...history.roots];
    const what = `${name}: get_delta_roots from ${pastMs} to ${futureMs}`;
    comparison.sets(
      `${what}, old`,
      new Set(toIds(old)),
      lives.filter(([, { replacedMs }]) => within(replacedMs)).map(([root]) => root),
    );
    comparison.sets(
      `${what}, new`,
      new Set(toIds(fresh)),
      lives.filter(([, { createdMs }]) => createdMs !== baseMs && within(createdMs)).map(([root]) => root),
    );
  }
}

/** Compares suggestions with the votes of an old root's supervoxels. Equal votes come in any order. */
async function compareSuggestions({
  world,
  volume,
  history,
  random,
  comparison,
  theirs,
}: CaveContext): Promise<void> {
  for (const root of sample(random, [...history.roots.keys()], 25)) {
    const { supervoxels, createdMs } = history.life(root);
    const timestamp = new Date(Math.max(createdMs, random.pick([world.baseMs, ...world.editsMs])));
    const votes = new Map<bigint, number>();
    for (const now of (await volume.roots(BigUint64Array.from(supervoxels), { timestamp })).rootIds)
      votes.set(now, (votes.get(now) ?? 0) + 1);
    const [ids, fractions] = await theirs<[BigUint64Array, Float64Array]>('suggest_latest_roots', {
      root_id: root,
      timestamp,
      stop_layer: 1,
      return_all: true,
      return_fraction_overlap: true,
    });
    const theirVotes = new Map(Array.from(ids, (id, k) => [id, fractions[k]]));
    comparison.same(
      `${world.name}: suggest_latest_roots of ${root} at ${timestamp.toISOString()}`,
      sorted(theirVotes),
      sorted(new Map([...votes].map(([id, count]) => [id, count / supervoxels.length]))),
    );
    const best = await theirs<string>('suggest_latest_roots', { root_id: root, timestamp, stop_layer: 1 });
    comparison.same(
      `${world.name}: the best suggestion for ${root} at ${timestamp.toISOString()}`,
      votes.get(BigInt(best)),
      Math.max(...votes.values()),
    );
  }
}

const sorted = <T>(map: Map<bigint, T>): [bigint, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
