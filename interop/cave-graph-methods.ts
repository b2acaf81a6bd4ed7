/** Compares CAVEclient's answers with those of `volume.graph`, method by method. */
import { timestampsAroundEdits, sample, toIds, type NodeLink, type CaveContext } from './cave-context.ts';

/** Runs all comparisons of this file on one world. */
export async function compareGraphMethods(sides: CaveContext): Promise<void> {
  for (const compare of [compareTimes, compareNodes, compareHistories, compareLogs, compareService])
    await compare(sides);
}

/**
 * CAVEclient says what was true before its timestamp, as the server does; graphene-points says what is true
 * at the timestamp. So CAVEclient gets a timestamp that is one millisecond later.
 */
async function compareTimes({
  world,
  volume: { graph },
  history,
  comparison,
  theirs,
}: CaveContext): Promise<void> {
  const roots = [...history.roots.keys()];
  comparison.each(
    `${world.name}: rootTimestamps`,
    await theirs<string[]>('get_root_timestamps', { root_ids: roots }),
    await graph.rootTimestamps(roots),
  );
  for (const ms of timestampsAroundEdits(world, 12)) {
    const timestamp = new Date(ms),
      later = new Date(ms + 1),
      what = `${world.name} at ${timestamp.toISOString()}`;
    const nodes = [...roots, 0n, world.supervoxels[0]];
    comparison.each(
      `${what}: isLatestRoots`,
      await theirs<boolean[]>('is_latest_roots', { root_ids: nodes, timestamp: later }),
      await graph.isLatestRoots(nodes, { timestamp }),
    );
    comparison.each(
      `${what}: validNodes`,
      await theirs<boolean[]>('is_valid_nodes', { node_ids: roots, end_timestamp: later }),
      await graph.validNodes(roots, { to: timestamp }),
    );
    const created = roots.filter((root) => history.life(root).createdMs <= ms);
    comparison.each(
      `${what}: rootTimestamps, latest`,
      await theirs<string[]>('get_root_timestamps', { root_ids: created, latest: true, timestamp: later }),
      await graph.rootTimestamps(created, { latest: true, timestamp }),
    );
  }
}

async function compareNodes({
  world,
  volume: { graph },
  history,
  random,
  comparison,
  theirs,
}: CaveContext): Promise<void> {
  const {
      name,
      box: { min, max },
    } = world,
    all = [...history.roots.keys()];
  for (const root of sample(random, all, 20)) {
    const from = min.map((first, axis) => first + random.below(max[axis] - first)),
      to = from.map((first, axis) => first + 1 + random.below(max[axis] - first));
    const bounds = { min: from, max: to },
      theirBounds = { shape: [3, 2], values: from.flatMap((first, axis) => [first, to[axis]]) };
    const what = `${name}, ${root}`;
    comparison.sets(
      `${what}: leaves`,
      toIds(await theirs('get_leaves', { root_id: root })),
      await graph.leaves(root),
    );
    for (const stopLayer of [1, 2, 3])
      comparison.sets(
        `${what}: leaves to layer ${stopLayer} in ${from.join()} to ${to.join()}`,
        toIds(await theirs('get_leaves', { root_id: root, bounds: theirBounds, stop_layer: stopLayer })),
        await graph.leaves(root, { bounds, stopLayer }),
      );
    const children = await graph.children(root);
    comparison.sets(`${what}: children`, toIds(await theirs('get_children', { node_id: root })), children);
    const edges = await theirs<[string, string][]>('level2_chunk_graph', { root_id: root });
    comparison.same(
      `${what}: level2Graph`,
      edges.map((edge) => edge.join()).sort(),
      sortedPairTexts(await graph.level2Graph(root)),
    );
    const { areas, affinities, edges: ours } = await graph.subgraph(root);
    const [nodes, theirAffinities, theirAreas] = await theirs<[BigInt64Array, Float64Array, Int32Array]>(
      'get_subgraph',
      { root_id: root, bounds: null },
    );
    comparison.sets(`${what}: subgraph`, toIds(nodes), ours);
    comparison.same(
      `${what}: areas and affinities of the subgraph`,
      [Array.from(theirAreas).sort(), Array.from(theirAffinities).sort()],
      [Array.from(areas).sort(), Array.from(affinities).sort()],
    );
    const nodeIds = children.length > 1 ? [...children].slice(1) : [];
    if (nodeIds.length > 0)
      comparison.sets(
        `${what}: minimalCoveringNodes of ${nodeIds.join()}`,
        await theirs<BigUint64Array>('get_minimal_covering_nodes', { node_ids: nodeIds }),
        await graph.minimalCoveringNodes(nodeIds),
      );
  }
  // Old and new roots share nodes. The answer for each root must be the same as in a request of its own.
  const many = await graph.leavesMany(all);
  for (const root of all)
    comparison.sets(`${name}: leavesMany, ${root}`, many.get(root)!, history.life(root).supervoxels);
}

async function compareHistories({
  world,
  volume: { graph },
  history,
  random,
  comparison,
  theirs,
}: CaveContext): Promise<void> {
  const { name, baseMs, editsMs } = world,
    times = [baseMs, ...editsMs];
  for (const root of sample(random, [...history.roots.keys()], 20)) {
    const [past, future] = [random.pick(times), random.pick(times)]
      .sort((a, b) => a - b)
      .map((ms) => new Date(ms));
    const what = `${name}, ${root} from ${past.toISOString()} to ${future.toISOString()}`;
    const lineage = await theirs<NodeLink>('get_lineage_graph', {
      root_id: root,
      timestamp_past: past,
      timestamp_future: future,
    });
    const { nodes, links } = await graph.lineageGraph(root, { from: past, to: future });
    comparison.each(
      `${what}: lineageGraph`,
      byId(lineage.nodes),
      byId(
        nodes.map(({ id, timestamp, operationId }) => ({
          id: String(id),
          timestamp: String(timestamp.getTime() / 1000),
          operation_id: operationId,
        })),
      ),
    );
    comparison.each(
      `${what}: links of lineageGraph`,
      lineage.links.map(({ source, target }) => `${source}>${target}`).sort(),
      links.map(({ source, target }) => `${source}>${target}`).sort(),
    );
    comparison.sets(
      `${what}: originalRoots`,
      toIds(await theirs('get_original_roots', { root_id: root })),
      await graph.originalRoots(root),
    );
    const timestamp = new Date(Math.max(future.getTime(), history.life(root).createdMs + 1));
    comparison.sets(
      `${what}: latestRoots at ${timestamp.toISOString()}`,
      toIds(await theirs('get_latest_roots', { root_id: root, timestamp })),
      await graph.latestRoots(root, { timestamp }),
    );
    const mapping = await theirs<{ past_id_map: Record<string, string[]> }>('get_past_ids', {
      root_ids: [root],
      timestamp_past: past,
    });
    comparison.sets(
      `${what}: pastIdMapping`,
      toIds(mapping.past_id_map[String(root)] ?? []),
      (await graph.pastIdMapping([root], { timestampPast: past })).past.get(root) ?? [],
    );
    const delta = await theirs<[BigInt64Array, BigInt64Array]>('get_delta_roots', {
      timestamp_past: past,
      timestamp_future: future,
    });
    const { oldRoots, newRoots } = await graph.deltaRoots({ from: past, to: future, raw: true });
    comparison.sets(`${what}: deltaRoots, old`, toIds(delta[0]), oldRoots);
    comparison.sets(`${what}: deltaRoots, new`, toIds(delta[1]), newRoots);
    for (const [by, stopLayer] of [
      ['supervoxels', 1],
      ['level2', 2],
    ] as const) {
      const { suggestions } = await graph.suggestLatestRoots(root, { timestamp, by });
      // For layer-2 nodes that edits replaced, graphene-points counts their supervoxels; CAVEclient takes the
      // last roots of the nodes.
      if (by === 'level2' && history.life(root).replacedMs <= timestamp.getTime()) continue;
      const [ids, shares] = await theirs<[BigUint64Array, Float64Array]>('suggest_latest_roots', {
        root_id: root,
        timestamp,
        stop_layer: stopLayer,
        return_all: true,
        return_fraction_overlap: true,
      });
      comparison.each(
        `${what}: suggestLatestRoots by ${by} at ${timestamp.toISOString()}`,
        byId(Array.from(ids, (id, k) => ({ id: String(id), share: shares[k].toFixed(12) }))),
        byId(
          suggestions.map(({ root: id, confidence }) => ({ id: String(id), share: confidence.toFixed(12) })),
        ),
      );
    }
  }
}

async function compareLogs({
  world,
  volume: { graph },
  history,
  random,
  comparison,
  theirs,
}: CaveContext): Promise<void> {
  const roots = sample(
    random,
    [...history.roots.keys()].filter((root) => history.life(root).createdMs > world.baseMs),
    15,
  );
  const operationIds = new Set<number>();
  for (const filtered of [true, false]) {
    const logs = await theirs<Record<string, Record<string, unknown>[]>>('get_tabular_change_log', {
      root_ids: roots,
      filtered,
    });
    const ours = await graph.tabularChangeLogs(roots, { filtered });
    for (const root of new Set(roots)) {
      const rows = ours.get(root)!;
      rows.forEach(({ operationId }) => operationIds.add(operationId));
      comparison.each(
        `${world.name}: tabularChangeLogs of ${root}, filtered ${filtered}`,
        logs[String(root)].map((row) => [
          row.operation_id,
          row.timestamp,
          row.user_id,
          row.is_merge,
          row.before_root_ids,
          row.after_root_ids,
        ]),
        rows.map(({ operationId, timestamp, userId, isMerge, beforeRoots, afterRoots }) => [
          operationId,
          timestamp.getTime(),
          userId,
          isMerge,
          [...beforeRoots],
          [...afterRoots],
        ]),
      );
    }
  }
  for (const root of roots) {
    const log = await theirs<Record<string, unknown>>('get_change_log', { root_id: root });
    const { merges, splits, operationIds: ids, pastIds } = await graph.changeLog(root);
    comparison.same(
      `${world.name}: changeLog of ${root}`,
      [log.n_mergers, log.n_splits, log.operations_ids, [...(log.past_ids as string[])].sort()],
      [merges, splits, ids, Array.from(pastIds, String).sort()],
    );
  }
  const details = await theirs<Record<string, Record<string, unknown>>>('get_operation_details', {
    operation_ids: [...operationIds],
  });
  const ours = await graph.operationDetails([...operationIds]);
  for (const id of operationIds) {
    const ourDetails = ours.get(id)!,
      theirDetails = details[String(id)];
    comparison.same(
      `${world.name}: operationDetails of ${id}`,
      [theirDetails.user, theirDetails.roots, theirDetails.added_edges, theirDetails.removed_edges],
      [
        ourDetails.userId,
        [...ourDetails.newRoots],
        ourDetails.addedEdges && pairsOf(ourDetails.addedEdges),
        ourDetails.removedEdges && pairsOf(ourDetails.removedEdges),
      ],
    );
  }
}

async function compareService({ world, volume, comparison, theirs }: CaveContext): Promise<void> {
  const { graph } = volume;
  if (world.editsMs.length > 0)
    comparison.same(
      `${world.name}: oldestTimestamp`,
      await theirs('get_oldest_timestamp'),
      await graph.oldestTimestamp(),
    );
  comparison.same(`${world.name}: info`, await theirs('segmentation_info'), volume.info);
  comparison.same(`${world.name}: resolution`, await theirs('base_resolution'), volume.scales[0].resolution);
  comparison.same(
    `${world.name}: version of the server`,
    await theirs('server_version'),
    (await graph.versions()).server,
  );
}

const byId = <T extends { id: string }>(list: readonly T[]): T[] =>
  [...list].sort((a, b) => (a.id < b.id ? -1 : 1));

const pairsOf = (flat: BigUint64Array): bigint[][] =>
  Array.from({ length: flat.length / 2 }, (_, k) => [flat[2 * k], flat[2 * k + 1]]);

const sortedPairTexts = (flat: BigUint64Array): string[] =>
  pairsOf(flat)
    .map((edge) => edge.join())
    .sort();
