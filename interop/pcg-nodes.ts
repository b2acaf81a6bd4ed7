/**
 * Makes random edits in a real PyChunkedGraph, then checks the SDK's answers about nodes of all layers,
 * current and replaced. The truth comes from the server's answers about supervoxels alone.
 *
 *     tsx interop/pcg-nodes.ts READY.json [EDITS] [SEED]
 *
 * READY.json is the JSON that a fresh server prints when it is ready: see `Ready` in pcg-server.ts. The
 * script changes the graph.
 */
import { inspect } from 'node:util';
import { GraphError, openGraphene, type ChunkedGraph, type GraphPoint } from '../lib/index.ts';
import { seeded } from '../testing/random.ts';
import { Checks, PcgServer, sorted } from './pcg-server.ts';

/** The ancestors of all supervoxels, by layer, from a timestamp until the next edit. */
interface Epoch {
  ms: number;
  above: Record<2 | 3 | 4, bigint[]>;
}

const [readyFile, editCount = '20', seed = '1'] = process.argv.slice(2);
const server = new PcgServer(readyFile),
  { supervoxels, indexes: indexes } = server;
const epochs: Epoch[] = [];
/** The supervoxels of every node, current and replaced. */
const members = new Map(supervoxels.map((id) => [id, [id]]));

const generator = seeded(Number(seed));
const random = (below: number): number => generator.below(below);
const pick = <T>(list: readonly T[]): T => generator.pick(list);
const sample = <T>(list: readonly T[], count: number): T[] => Array.from({ length: count }, () => pick(list));
const layerOf = (id: bigint): number => Number(id >> 56n);
const epochAt = (ms: number): Epoch | undefined => epochs.findLast((epoch) => epoch.ms <= ms);

const checks = new Checks(),
  check = checks.check.bind(checks);

async function record(ms: number): Promise<void> {
  const above = {
    2: await server.ancestors(ms, 2),
    3: await server.ancestors(ms, 3),
    4: await server.ancestors(ms, 4),
  };
  epochs.push({ ms, above });
  for (const list of Object.values(above)) {
    const held = new Map<bigint, bigint[]>();
    list.forEach((node, k) => held.set(node, [...(held.get(node) ?? []), supervoxels[k]]));
    for (const [node, ids] of held) members.set(node, ids);
  }
}

const pointIn = (id: bigint): GraphPoint => server.pointIn(id);

async function makeEdits(graph: ChunkedGraph, count: number): Promise<void> {
  for (let made = 0, tries = 0; made < count && tries < 10 * count; tries++) {
    try {
      const { 4: roots } = epochs[epochs.length - 1].above,
        large = sorted(roots).filter((root) => members.get(root)!.length > 2);
      const list = members.get(pick(large))!;
      const { newRoots } =
        random(2) === 0
          ? await graph.merge(pointIn(pick(supervoxels)), pointIn(pick(supervoxels)))
          : await graph.split([pointIn(list[0])], [pointIn(list[list.length - 1])]);
      await record((await graph.rootTimestamps(newRoots))[0].getTime());
      made++;
    } catch (error) {
      // The server may refuse an edit.
      if (!(error instanceof GraphError && error.status !== undefined)) throw error;
    }
  }
}

const UNKNOWN = [1n, 2n, 3n, 4n].map((layer) => (layer << 56n) | 60_000n);
const nodesOf = (layer: number): readonly bigint[] =>
  layer === 1 ? supervoxels : [...members.keys()].filter((id) => layerOf(id) === layer);
const NOTHING: Pick<Epoch, 'above'> = { above: { 2: [], 3: [], 4: [] } };
const randomTimeMs = (): number => pick(epochs).ms + pick([-1, 0, 0, 1, 250]);

async function checkAtTimestamp(graph: ChunkedGraph): Promise<void> {
  const ms = randomTimeMs(),
    timestamp = new Date(ms),
    { above } = epochAt(ms) ?? NOTHING;
  const rootNow = (supervoxel: bigint): bigint => above[4][indexes.get(supervoxel)!] ?? 0n;
  const isCurrent = (node: bigint): boolean =>
    layerOf(node) === 1 || (above[layerOf(node) as 2 | 3 | 4] ?? []).includes(node);
  const rootsOf = (id: bigint): bigint[] =>
    (members.get(id) ?? []).map(rootNow).filter((root) => root !== 0n);
  const lower = [1, 2, 3].flatMap((layer) => sample(nodesOf(layer), 8)),
    nodes = [...lower, ...UNKNOWN.slice(0, 3)],
    roots = sample(nodesOf(4), 8);
  check(
    `roots at ${ms}`,
    [...(await graph.roots(nodes, { timestamp }))],
    nodes.map((id) => (isCurrent(id) ? (rootsOf(id)[0] ?? 0n) : 0n)),
  );
  check(
    `layer 3 at ${ms}`,
    [
      ...(await graph.roots(
        lower.filter((id) => layerOf(id) < 3),
        { timestamp, stopLayer: 3 },
      )),
    ],
    lower
      .filter((id) => layerOf(id) < 3)
      .map((id) => (isCurrent(id) ? (above[3][indexes.get(members.get(id)![0])!] ?? 0n) : 0n))
      .map((id) => (layerOf(id) < 3 ? 0n : id)),
  );
  check(
    `isLatestRoots at ${ms}`,
    await graph.isLatestRoots([...nodes, ...roots, ...UNKNOWN, 0n, 3n], { timestamp }),
    [
      ...nodes.map(() => false),
      ...roots.map((root) => above[4].includes(root)),
      ...UNKNOWN.map(() => false),
      false,
      false,
    ],
  );
  for (const by of ['level2', 'supervoxels'] as const)
    for (const { root: id, changed, suggestions } of await graph.suggestLatestRoots([...nodes, ...roots], {
      timestamp,
      by,
    })) {
      check(
        `suggestLatestRoots of ${id} at ${ms} by ${by}`,
        [changed, sorted(suggestions.map(({ root }) => root))],
        [layerOf(id) < 4 || !isCurrent(id), sorted(rootsOf(id))],
      );
      if (layerOf(id) < 3 || by === 'supervoxels')
        check(
          `shares of the suggestions for ${id} at ${ms} by ${by}`,
          suggestions.map(({ root, confidence }) => [root, Math.round(confidence * 1e9)]),
          sorted(rootsOf(id))
            .map(
              (root) =>
                [
                  root,
                  Math.round(
                    (rootsOf(id).filter((each) => each === root).length / members.get(id)!.length || 1) * 1e9,
                  ),
                ] as const,
            )
            .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
        );
    }
  if (above[4].length > 0 && ms >= epochs[0].ms) {
    const latest = await graph.latestRoots(lower, { timestamp });
    for (const id of lower) check(`latestRoots of ${id} at ${ms}`, [...latest.get(id)!], sorted(rootsOf(id)));
  }
  const other = randomTimeMs(),
    then = epochAt(other);
  const delta = await graph
    .deltaRoots({ from: timestamp, to: new Date(other) })
    .catch((error: Error) => error.name);
  const now = sorted(above[4]),
    later = sorted(then?.above[4] ?? []);
  check(
    `deltaRoots ${ms} to ${other}`,
    typeof delta === 'string' ? delta : [[...delta.oldRoots], [...delta.newRoots]],
    (now.length === 0) !== (later.length === 0)
      ? 'TimestampError'
      : [now.filter((root) => !later.includes(root)), later.filter((root) => !now.includes(root))],
  );
}

async function checkLineage(graph: ChunkedGraph): Promise<void> {
  const allRoots = nodesOf(4),
    roots = sorted(
      sample(
        allRoots.filter((root) => epochs.some(({ above }) => !above[4].includes(root))),
        4,
      ),
    ),
    window = pick([{}, { from: new Date(randomTimeMs()) }, { to: new Date(randomTimeMs()) }]);
  const show = ({
    nodes,
    links,
  }: Awaited<ReturnType<ChunkedGraph['lineageGraph']>>): [string[], string[]] => [
    nodes.map(({ id, operationId, timestamp }) => `${id} ${operationId} ${timestamp.getTime()}`).sort(),
    links.map(({ source, target }) => `${source}>${target}`).sort(),
  ];
  const alone = await Promise.all(roots.map(async (root) => show(await graph.lineageGraph(root, window))));
  check(
    `lineageGraph of ${roots.join()}`,
    show(await graph.lineageGraph(roots, window)),
    [0, 1].map((part) => [...new Set(alone.flatMap((lists) => lists[part]))].sort()),
  );
  for (const id of [pick(supervoxels), pick(nodesOf(2)), pick(nodesOf(3)), 3n])
    for (const call of [graph.lineageGraph([roots[0], id]), graph.originalRoots(id), graph.lastEdit(id)])
      check(
        `history of ${id}`,
        await call.then(
          () => 'an answer',
          (error: GraphError) => error.code,
        ),
        'UNKNOWN_ID',
      );
}

/**
 * Returns a supervoxel and its current ancestors at layers 2 to 4. A layer that the object skips repeats a
 * node.
 */
const ancestorsNow = (supervoxel: bigint): bigint[] => [
  supervoxel,
  ...[2, 3, 4].map((layer) => epochs[epochs.length - 1].above[layer as 2 | 3 | 4][indexes.get(supervoxel)!]),
];

async function checkLeaves(graph: ChunkedGraph): Promise<void> {
  const min = [0, 0, 0].map(() => random(150) - 12),
    bounds = random(5) === 0 ? undefined : { min, max: min.map((from) => from + 1 + random(80)) },
    stopLayer = 1 + random(4);
  const touches = (id: bigint): boolean => {
    const width = 2 ** Math.max(0, layerOf(id) - 2);
    return (
      !bounds ||
      graph.ids
        .chunkPositionOf(id)
        .every(
          (c, axis) =>
            c * width * graph.chunkSize[axis] < Math.min(128, bounds.max[axis]) &&
            (c + 1) * width * graph.chunkSize[axis] > bounds.min[axis] &&
            bounds.max[axis] > 0 &&
            bounds.min[axis] < 128,
        )
    );
  };
  const { above } = epochs[epochs.length - 1],
    current = [1, 2, 3, 4].flatMap((layer) =>
      sample(
        layer === 1 ? supervoxels : sorted(above[layer as 2 | 3 | 4]).filter((id) => layerOf(id) === layer),
        5,
      ),
    );
  const expected = (node: bigint): bigint[] =>
    sorted(
      members.get(node)!.flatMap((supervoxel) => {
        const way = sorted(ancestorsNow(supervoxel)).filter(
          (id) => layerOf(id) >= stopLayer && layerOf(id) <= layerOf(node),
        );
        return way.length > 0 && layerOf(way[0]) === stopLayer && way.every(touches) ? [way[0]] : [];
      }),
    );
  const many = await graph.leavesMany([...current, ...UNKNOWN], { bounds, stopLayer });
  for (const id of current)
    check(
      `leavesMany of ${id} to ${stopLayer} in ${inspect(bounds, { breakLength: 200 })}`,
      sorted(many.get(id)!),
      expected(id),
    );
  for (const id of UNKNOWN) check(`leavesMany of ${id}`, many.get(id)!.length, 0);
  for (const id of [...current.filter((id) => layerOf(id) > 1), ...UNKNOWN]) {
    check(
      `leaves of ${id} to ${stopLayer} in ${inspect(bounds, { breakLength: 200 })}`,
      sorted(await graph.leaves(id, { bounds, stopLayer })),
      members.has(id) ? expected(id) : [],
    );
  }
  for (const id of [...current.slice(3), UNKNOWN[2]]) {
    const inside =
      layerOf(id) === 1
        ? []
        : members.has(id) && touches(id)
          ? members.get(id)!.filter((supervoxel) =>
              ancestorsNow(supervoxel)
                .filter((node) => layerOf(node) <= layerOf(id))
                .every(touches),
            )
          : [];
    const answer = await graph.subgraph(id, { bounds }).then(
      ({ edges }) =>
        [...edges].every((end) => inside.includes(end)) && (inside.length > 0 || edges.length === 0),
      (error: GraphError) => error.code,
    );
    check(
      `subgraph of ${id} in ${inspect(bounds, { breakLength: 200 })}`,
      answer,
      members.has(id) || layerOf(id) === 1 || !touches(id) ? true : 'UNKNOWN_ID',
    );
  }
}

async function checkPaths(graph: ChunkedGraph): Promise<void> {
  const a = pick(supervoxels),
    b = pick(
      random(2) === 0 ? members.get(epochs[epochs.length - 1].above[4][indexes.get(a)!])! : supervoxels,
    ),
    [from, to] = [ancestorsNow(a), ancestorsNow(b)];
  const found = await graph.findPath(pointIn(a), pointIn(b)).then(
    ({ l2Ids }) => l2Ids,
    (error: GraphError) => error.code,
  );
  if (from[3] !== to[3]) return check(`findPath from ${a} to ${b}`, found, 'UNKNOWN_ID');
  if (typeof found === 'string') return check(`findPath from ${a} to ${b}`, found, 'a path');
  const edges = await graph.level2Graph(from[3]),
    joined = new Set(
      Array.from({ length: edges.length / 2 }, (_, k) => sorted(edges.subarray(2 * k, 2 * k + 2)).join()),
    );
  check(
    `findPath from ${a} to ${b}`,
    [
      found[0],
      found[found.length - 1],
      [...found.slice(1)].every((id, k) => joined.has(sorted([found[k], id]).join())),
    ],
    [from[1], to[1], true],
  );
}

const volume = await openGraphene(server.path, {
  token: null,
  allowEdits: true,
  dataDir: 'mem://none/none',
  logger: { warn: () => undefined },
});
const { graph } = volume;
for (const ms of server.initialTimesMs) await record(ms);
await makeEdits(graph, Number(editCount));
for (let n = 0; n < 40; n++)
  for (const round of [checkAtTimestamp, checkLineage, checkLeaves, checkPaths]) await round(graph);
await volume.close();
console.log(
  `${epochs.length - server.initialTimesMs.length} edits, ${members.size} nodes in all; ${checks.count} answers, ${checks.wrong} wrong (seed ${seed})`,
);
process.exitCode = checks.wrong > 0 ? 1 : 0;
