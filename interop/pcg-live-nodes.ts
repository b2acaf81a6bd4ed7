/**
 * Checks the parts of objects against the ledger. An undone merge leaves foreign leaves, which `verify` must
 * remove.
 */
import type { LiveContext } from './pcg-ledger.ts';
import { sorted } from './pcg-server.ts';

const VERIFY = { verify: true };
/** Voxels of the test volume along each axis. */
const SIDE = 128;

export async function checkNodes(live: LiveContext): Promise<void> {
  const { graph, ledger, server, check, pick } = live,
    roots = sorted(ledger.last.roots);
  const many = await graph.leavesMany(roots, VERIFY),
    listed = await graph.leavesMany(roots);
  const withForeign = roots.filter((root) => listed.get(root)!.length > ledger.supervoxelsOf(root).length);
  console.log(`${withForeign.length} of ${roots.length} objects have foreign leaves`);
  for (const root of roots)
    check(`leavesMany ${root}`, sorted(many.get(root)!), sorted(ledger.supervoxelsOf(root)));
  const large = roots.filter((root) => ledger.supervoxelsOf(root).length > 4);
  for (const root of [...withForeign, ...Array.from({ length: 20 }, () => pick(large))]) {
    await checkBox(live, root);
    await checkParts(live, root);
    await checkCover(live, root, pick(roots));
  }
  await checkChunk(live, pick(server.supervoxels));
  check('validNodes', await graph.validNodes([roots[0], 5n, roots[0] + (1n << 40n), server.supervoxels[0]]), [
    true,
    false,
    false,
    true,
  ]);
  check('versions', (await graph.versions()).api, [0, 1]);
  check('oldestTimestamp', (await graph.oldestTimestamp())?.getTime(), ledger.epochs[1].ms - 500);
}

const chunkOf = ({ server: { ready, indexes }, graph }: LiveContext, supervoxel: bigint): number[] =>
  ready.grid[indexes.get(supervoxel)!].map((at, axis) =>
    Math.floor((at * ready.supervoxel_size[axis]) / graph.chunkSize[axis]),
  );

async function checkBox(live: LiveContext, root: bigint): Promise<void> {
  const { graph, ledger, server, check, random } = live,
    min = [random(SIDE), random(SIDE), random(SIDE)],
    max = min.map((from) => from + 1 + random(96));
  const lo = min.map((from, axis) => Math.floor(from / graph.chunkSize[axis])),
    hi = max.map((to, axis) => Math.ceil(Math.min(SIDE, to) / graph.chunkSize[axis]));
  const inside = sorted(
    ledger
      .supervoxelsOf(root)
      .filter((id) => chunkOf(live, id).every((c, axis) => c >= lo[axis] && c < hi[axis])),
  );
  const nm = (corner: number[]): number[] => corner.map((v, axis) => v * server.ready.resolution[axis]);
  for (const bounds of [
    { min, max },
    { min: nm(min), max: nm(max), resolution: [1, 1, 1] },
  ])
    check(
      `leaves of ${root} in ${bounds.min.join()} to ${bounds.max.join()}`,
      sorted(await graph.leaves(root, { ...VERIFY, bounds })),
      inside,
    );
}

async function checkParts({ graph, ledger, check, ...live }: LiveContext, root: bigint): Promise<void> {
  const own = sorted(ledger.supervoxelsOf(root)),
    l2 = await graph.leaves(root, { ...VERIFY, stopLayer: 2 });
  check(`L2 of ${root}`, sorted(l2), sorted(await graph.roots(own, { stopLayer: 2 })));
  check(
    'positions of L2',
    own.map((id) => graph.ids.chunkPositionOf(id).join()),
    own.map((id) => chunkOf({ graph, ledger, check, ...live }, id).join()),
  );
  const children = await Promise.all(Array.from(l2, (id) => graph.children(id)));
  check('children of L2', sorted(children.flatMap((list) => [...list])), own);
  // The edges may also join the foreign leaves that the server lists.
  const listed = new Set([...(await graph.leaves(root)), ...(await graph.leaves(root, { stopLayer: 2 }))]);
  const unlisted = (ids: BigUint64Array): bigint[] => [...ids].filter((id) => !listed.has(id));
  check(`level2Graph of ${root}`, unlisted(await graph.level2Graph(root)), []);
  const { edges, affinities, areas } = await graph.subgraph(root);
  check(`subgraph of ${root}`, unlisted(edges), []);
  check(
    `affinities and areas of the subgraph of ${root}`,
    [affinities.length, areas.length],
    [edges.length / 2, edges.length / 2],
  );
}

async function checkCover(
  { graph, ledger, check, random }: LiveContext,
  root: bigint,
  other: bigint,
): Promise<void> {
  const part = ledger.supervoxelsOf(root).filter(() => random(4) > 0),
    cover = await graph.minimalCoveringNodes(part);
  const below = await graph.leavesMany(cover, VERIFY);
  check(
    `minimalCoveringNodes covers a part of ${root}`,
    [...below.values()].flatMap((list) => [...list]).sort(),
    [...part].sort(),
  );
  for (const node of cover) {
    const layer = graph.ids.layerOf(node);
    if (layer === graph.nLayers) continue;
    const [parent] = await graph.roots([node], { stopLayer: layer + 1 });
    const beside = (await graph.leaves(parent, VERIFY)).filter((id) => !part.includes(id));
    check(`${node} of the cover has the highest layer possible`, beside.length > 0, true);
  }
  const l2 = await graph.roots(ledger.supervoxelsOf(root), { stopLayer: 2 });
  check(
    'whole objects are covered by themselves',
    [...(await graph.minimalCoveringNodes([...l2, ...ledger.supervoxelsOf(other)]))],
    sorted([root, other]),
  );
}

async function checkChunk({ graph, server, check }: LiveContext, supervoxel: bigint): Promise<void> {
  const chunk = (id: bigint): string => graph.ids.chunkPositionOf(id).join();
  const { l2Ids, supervoxelIds } = await graph.l2ChunkChildren(supervoxel);
  const members = server.supervoxels.filter((id) => chunk(id) === chunk(supervoxel));
  const parents = await graph.roots(members, { stopLayer: 2 });
  const pairs = new Set(Array.from(l2Ids, (id, k) => `${id}>${supervoxelIds[k]}`));
  check(
    'l2ChunkChildren',
    members.filter((id, k) => !pairs.has(`${parents[k]}>${id}`)),
    [],
  );
}
