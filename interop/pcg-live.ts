/**
 * Random edits of a real PyChunkedGraph through the SDK, then everything it says about them against our own bookkeeping.
 *
 *     tsx interop/pcg-live.ts READY.json [EDITS] [SEED]
 *
 * READY.json: the line the server prints when it is ready: `url`, `table`, `supervoxels`, `grid`, `epochs`. It changes the graph.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual, inspect } from 'node:util';
import { GraphError, openGraphene, type ChunkedGraph, type GraphPoint } from '../lib/index.ts';
import { seeded } from '../testing/random.ts';

interface Ready {
  url: string;
  table: string;
  supervoxels: string[];
  grid: [number, number, number][];
  epochs: { ts?: number; timestamp?: number; roots: string[] }[];
  resolution: [number, number, number];
  supervoxel_size: [number, number, number];
}

/** The root of every supervoxel from a moment on. */
interface Epoch {
  ms: number;
  roots: bigint[];
}

interface Edit {
  operationId: number;
  ms: number;
  before: bigint[];
  after: bigint[];
  isMerge: boolean;
}

const [readyFile, editCount = '25', seed = '1'] = process.argv.slice(2);
const ready = JSON.parse(readFileSync(readyFile, 'utf8').split('\n')[0]) as Ready;
const supervoxels = ready.supervoxels.map(BigInt),
  place = new Map(supervoxels.map((id, k) => [id, k]));
const epochs: Epoch[] = ready.epochs.map((epoch) => ({
  ms: Math.round((epoch.ts ?? epoch.timestamp!) * 1000),
  roots: epoch.roots.map(BigInt),
}));
const edits: Edit[] = [];

const generator = seeded(Number(seed));
const random = (below: number): number => generator.below(below);
const one = <T>(list: readonly T[]): T => generator.pick(list);
const sorted = (list: Iterable<bigint>): bigint[] =>
  [...new Set(list)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
const last = (): Epoch => epochs[epochs.length - 1];
const at = (ms: number): Epoch => epochs.findLast((epoch) => epoch.ms <= ms)!;
const ofRoot = (root: bigint, roots = last().roots): bigint[] =>
  supervoxels.filter((_id, k) => roots[k] === root);

let checks = 0,
  failures = 0;
function check(what: string, actual: unknown, expected: unknown): void {
  checks++;
  if (isDeepStrictEqual(actual, expected)) return;
  failures++;
  if (failures <= 20)
    console.log(
      `WRONG ${what}\n  got      ${inspect(actual, { breakLength: 200, maxArrayLength: 12 })}\n  expected ${inspect(expected, { breakLength: 200, maxArrayLength: 12 })}`,
    );
}

const middle = (id: bigint): GraphPoint => ({
  id,
  nm: ready.grid[place.get(id)!].map(
    (at, axis) => (at + 0.5) * ready.supervoxel_size[axis] * ready.resolution[axis],
  ),
});

/** What an edit did, from what the server says its new roots hold. */
async function note(
  graph: ChunkedGraph,
  operationId: number,
  newRoots: BigUint64Array,
  isMerge: boolean,
  parts?: bigint[][],
): Promise<void> {
  const before = last().roots,
    roots = [...before],
    after = [...newRoots];
  const held = parts ?? (await Promise.all(after.map(async (root) => [...(await graph.leaves(root))])));
  const gone = new Set<bigint>();
  held.forEach((list, k) => {
    for (const id of list) {
      gone.add(before[place.get(id)!]);
      roots[place.get(id)!] = after[k];
    }
  });
  const [made] = await graph.rootTimestamps(newRoots);
  epochs.push({ ms: made.getTime(), roots });
  edits.push({ operationId, ms: made.getTime(), before: sorted(gone), after: sorted(after), isMerge });
}

async function makeEdits(graph: ChunkedGraph, count: number): Promise<void> {
  const undone: number[] = [];
  for (let tries = 0; edits.length < count && tries < 10 * count; tries++) {
    const kind = random(10),
      { roots } = last();
    try {
      if (kind < 5) {
        const a = one(supervoxels),
          b = one(supervoxels);
        const held = [...ofRoot(roots[place.get(a)!]), ...ofRoot(roots[place.get(b)!])];
        const { operationId, newRoots } = await graph.merge(middle(a), middle(b));
        await note(graph, operationId, newRoots, true, [held]);
      } else if (kind < 8) {
        const root = one(sorted(roots).filter((root) => ofRoot(root).length > 2));
        const list = ofRoot(root),
          sources = [middle(list[0])],
          sinks = [middle(list[list.length - 1])];
        const { parts } = await graph.splitPreview(sources, sinks);
        const { operationId, newRoots } = await graph.split(sources, sinks);
        await note(graph, operationId, newRoots, false);
        check(
          'split as previewed',
          parts.map((part) => sorted(part)).sort(),
          (await Promise.all([...newRoots].map((root) => graph.leaves(root))))
            .map((part) => sorted(part))
            .sort(),
        );
      } else if (kind < 9 && edits.length > 2) {
        const { operationId: wanted, isMerge } = one(edits);
        const result = await graph.undo(wanted);
        if (result.done) {
          await note(graph, result.operationId, result.newRoots, !isMerge);
          undone.push(wanted);
          check('undo again does nothing', await graph.undo(wanted), { done: false });
        }
      } else if (undone.length > 0) {
        const wanted = one(undone),
          result = await graph.redo(wanted);
        if (result.done)
          await note(
            graph,
            result.operationId,
            result.newRoots,
            edits.find(({ operationId }) => operationId === wanted)!.isMerge,
          );
      }
    } catch (error) {
      // Refusals (same object, too far apart, nothing to undo) are part of the game; anything unexplained is not.
      if (!(error instanceof GraphError && error.status !== undefined)) throw error;
      if (/traceback|File "/.test(inspect(error, { depth: 5 }))) check('no traceback', error.message, '');
    }
  }
}

/** What leads from a root to others in our own log: all reached by edits up to `toMs` (or back to after `toMs`) that stood at `toMs`. */
function related(root: bigint, toMs: number): bigint[] {
  const made = (id: bigint): number => epochs.find((epoch) => epoch.roots.includes(id))!.ms;
  const forward = made(root) <= toMs,
    standing = new Set(at(toMs).roots),
    seen = new Set([root]);
  for (const node of seen)
    for (const { before, after } of all()) {
      const [from, to] = forward ? [before, after] : [after, before];
      if (from.includes(node)) for (const next of to) seen.add(next);
    }
  return sorted(seen).filter(
    (id) => standing.has(id) && (forward ? made(id) >= made(root) : made(id) <= made(root)),
  );
}

/** Edits as steps between epochs, those before our own included. */
function all(): { before: bigint[]; after: bigint[]; ms: number }[] {
  return epochs.slice(1).map((epoch, k) => {
    const changed = supervoxels.map((_id, n) => n).filter((n) => epoch.roots[n] !== epochs[k].roots[n]);
    return {
      before: sorted(changed.map((n) => epochs[k].roots[n])),
      after: sorted(changed.map((n) => epoch.roots[n])),
      ms: epoch.ms,
    };
  });
}

const moments = (count: number): number[] =>
  Array.from({ length: count }, () => one(epochs).ms + one([-1, 0, 1, 0, 500])).filter(
    (ms) => ms >= epochs[0].ms,
  );

async function checkTime(graph: ChunkedGraph): Promise<void> {
  const ever = sorted(epochs.flatMap(({ roots }) => roots)),
    steps = all();
  const made = new Map(ever.map((root) => [root, epochs.find(({ roots }) => roots.includes(root))!.ms]));
  const ended = (root: bigint): number =>
    steps.find(({ before, after }) => before.includes(root) && !after.includes(root))?.ms ?? Infinity;
  check(
    'rootTimestamps',
    (await graph.rootTimestamps(ever)).map(Number),
    ever.map((root) => made.get(root)),
  );
  for (const ms of [...epochs.map(({ ms }) => ms), ...moments(15)]) {
    const timestamp = new Date(ms),
      { roots } = at(ms);
    check(`roots at ${timestamp.toISOString()}`, [...(await graph.roots(supervoxels, { timestamp }))], roots);
    const standing = new Set(roots);
    check(
      `isLatestRoots at ${timestamp.toISOString()}`,
      await graph.isLatestRoots(ever, { timestamp }),
      ever.map((root) => standing.has(root)),
    );
    const known = ever.filter((root) => made.get(root)! <= ms);
    check(
      `last moments at ${timestamp.toISOString()}`,
      (await graph.rootTimestamps(known, { timestamp, latest: true })).map(Number),
      known.map((root) => Math.min(ms, ended(root) - 1)),
    );
    const other = one(moments(20)),
      [from, to] = [ms, other].sort((a, b) => a - b);
    const before = new Set(at(from).roots),
      after = new Set(at(to).roots);
    const delta = await graph.deltaRoots({ from: new Date(from), to: new Date(to) });
    check(
      `deltaRoots ${from} to ${to}`,
      { old: [...delta.oldRoots], fresh: [...delta.newRoots] },
      {
        old: sorted(before).filter((root) => !after.has(root)),
        fresh: sorted(after).filter((root) => !before.has(root)),
      },
    );
    const asked = Array.from({ length: 6 }, () => one(ever)),
      found = await graph.latestRoots(asked, { timestamp });
    for (const root of asked)
      check(`latestRoots of ${root} at ${ms}`, [...found.get(root)!], related(root, ms));
    const past = asked.filter((root) => made.get(root)! > ms),
      mapping = await graph.pastIdMapping(past, { timestampPast: timestamp });
    for (const root of past)
      check(
        `pastIdMapping of ${root} at ${ms} holds those of then`,
        related(root, ms).filter((id) => mapping.past.get(root)!.includes(id)),
        related(root, ms),
      );
    for (const by of ['supervoxels', 'level2'] as const) {
      const suggestions = await graph.suggestLatestRoots(asked, { timestamp, by });
      for (const { root, suggestions: list } of suggestions) {
        const then = epochs.find(({ roots }) => roots.includes(root))!,
          voters = ofRoot(root, then.roots),
          expected = new Map<bigint, number>();
        const l2 = await graph.roots(voters, { stopLayer: 2, timestamp: new Date(then.ms) });
        const groups =
          by === 'level2'
            ? new Map([...l2].map((id) => [id, voters.filter((_v, k) => l2[k] === id)]))
            : new Map(voters.map((id) => [id, [id]]));
        for (const group of groups.values())
          for (const id of group)
            expected.set(
              roots[place.get(id)!],
              (expected.get(roots[place.get(id)!]) ?? 0) + 1 / group.length / groups.size,
            );
        const shown = (pairs: Iterable<[bigint, number]>): unknown =>
          [...pairs].map(([id, share]) => [id, Math.round(share * 1e6)]).sort();
        check(
          `suggestLatestRoots of ${root} at ${ms} by ${by}`,
          shown(list.map(({ root, confidence }) => [root, confidence])),
          shown(expected),
        );
      }
    }
  }
  const firsts = await graph.originalRoots(ever);
  for (const root of ever) check(`originalRoots of ${root}`, [...firsts.get(root)!], originals(root));
}

function originals(root: bigint): bigint[] {
  const steps = all(),
    seen = new Set([root]);
  for (const node of seen)
    for (const { before, after } of steps)
      if (after.includes(node) && !before.includes(node)) for (const next of before) seen.add(next);
  return [...seen].filter((id) => epochs[0].roots.includes(id)).sort((a, b) => (a < b ? -1 : 1));
}

async function checkLogs(graph: ChunkedGraph): Promise<void> {
  const own = new Set(edits.map(({ operationId }) => operationId));
  const logged = (await graph.operations({ from: new Date(edits[0].ms) })).filter(({ operationId }) =>
    own.has(operationId),
  );
  check(
    'operations',
    logged.map(({ operationId, timestamp, isMerge }) => [operationId, timestamp.getTime(), isMerge]),
    [...edits]
      .sort((a, b) => a.operationId - b.operationId)
      .map(({ operationId, ms, isMerge }) => [operationId, ms, isMerge]),
  );
  const details = await graph.operationDetails([...own, 999_999]);
  for (const { operationId, ms, after } of edits) {
    const one = details.get(operationId)!;
    check(
      `details of ${operationId}`,
      [one.timestamp.getTime(), sorted(one.newRoots), one.status],
      [ms, after, 0],
    );
  }
  check('details of nothing', details.has(999_999), false);
  for (const root of sorted(last().roots)) {
    const ancestors = new Set([root]),
      ops = new Set<number>();
    for (const node of ancestors)
      for (const edit of edits.filter(({ after }) => after.includes(node)))
        for (const id of [...edit.before, node]) ancestors.add(id) && ops.add(edit.operationId);
    if (ops.size === 0) continue;
    const log = await graph.tabularChangeLog(root, { filtered: false });
    // What went before our own edits is in the log as well.
    const rows = log.filter(({ operationId }) => own.has(operationId));
    check(
      `tabularChangeLog of ${root}`,
      rows
        .map(({ operationId }) => operationId)
        .filter((id) => ops.has(id))
        .sort((a, b) => a - b),
      [...ops].sort((a, b) => a - b),
    );
    check(
      `its rows`,
      rows.every(({ operationId, beforeRoots, timestamp, isMerge }) => {
        const edit = edits.find((one) => one.operationId === operationId)!;
        return (
          timestamp.getTime() === edit.ms &&
          isMerge === edit.isMerge &&
          beforeRoots.every((id) => edit.before.includes(id))
        );
      }),
      true,
    );
    const summary = await graph.changeLog(root, { filtered: false });
    check(
      `changeLog of ${root}`,
      [summary.merges + summary.splits, summary.operationIds],
      [log.length, log.map(({ operationId }) => operationId)],
    );
    check(
      `mergeLog of ${root}`,
      (await graph.mergeLog(root)).map(({ operationId }) => operationId),
      log.filter(({ isMerge }) => isMerge).map(({ operationId }) => operationId),
    );
    check(
      `lastEdit of ${root}`,
      Number(await graph.lastEdit(root)),
      edits.find(({ after }) => after.includes(root))!.ms,
    );
    const { links } = await graph.lineageGraph(root, {
      to: new Date(edits.find(({ after }) => after.includes(root))!.ms),
    });
    check(
      `lineage of ${root}`,
      sorted(links.filter(({ target }) => target === root).map(({ source }) => source)),
      edits.find(({ after }) => after.includes(root))!.before,
    );
  }
}

async function checkNodes(graph: ChunkedGraph): Promise<void> {
  const roots = sorted(last().roots),
    [sx, sy, sz] = ready.supervoxel_size;
  const chunkOf = (k: number): number[] =>
    ready.grid[k].map((at, axis) => Math.floor((at * [sx, sy, sz][axis]) / graph.chunkSize[axis]));
  const many = await graph.leavesMany(roots);
  for (const root of roots) check(`leavesMany ${root}`, sorted(many.get(root)!), sorted(ofRoot(root)));
  for (let n = 0; n < 20; n++) {
    const root = one(roots.filter((root) => ofRoot(root).length > 4)),
      min = [random(128), random(128), random(128)],
      max = min.map((from) => from + 1 + random(96));
    const lo = min.map((from, axis) => Math.floor(from / graph.chunkSize[axis])),
      hi = max.map((to, axis) => Math.ceil(Math.min(128, to) / graph.chunkSize[axis]));
    const inside = ofRoot(root).filter((id) =>
      chunkOf(place.get(id)!).every((c, axis) => c >= lo[axis] && c < hi[axis]),
    );
    check(
      `leaves of ${root} in ${min.join()} to ${max.join()}`,
      sorted(await graph.leaves(root, { bounds: { min, max } })),
      sorted(inside),
    );
    check(
      'the same in nm',
      sorted(
        await graph.leaves(root, {
          bounds: {
            min: min.map((v, a) => v * ready.resolution[a]),
            max: max.map((v, a) => v * ready.resolution[a]),
            resolution: [1, 1, 1],
          },
        }),
      ),
      sorted(inside),
    );
    const l2 = await graph.leaves(root, { stopLayer: 2 });
    check(`L2 of ${root}`, sorted(l2), sorted(await graph.roots(ofRoot(root), { stopLayer: 2 })));
    check(
      'positions of L2',
      sorted(ofRoot(root)).every(
        (id) => graph.ids.chunkPositionOf(id).join() === chunkOf(place.get(id)!).join(),
      ),
      true,
    );
    check(
      'children of L2',
      sorted((await Promise.all([...l2].map((id) => graph.children(id)))).flatMap((list) => [...list])),
      sorted(ofRoot(root)),
    );
    check(
      'level2Graph',
      (await graph.level2Graph(root)).every((id) => l2.includes(id)),
      true,
    );
    const { edges, affinities, areas } = await graph.subgraph(root);
    check(
      'subgraph',
      [edges.every((id) => ofRoot(root).includes(id)), affinities.length, areas.length],
      [true, edges.length / 2, edges.length / 2],
    );
    const part = ofRoot(root).filter(() => random(4) > 0),
      cover = await graph.minimalCoveringNodes(part);
    check(
      'minimalCoveringNodes covers',
      sorted([...(await graph.leavesMany(cover)).values()].flatMap((list) => [...list])),
      sorted(part),
    );
    for (const node of cover) {
      const layer = graph.ids.layerOf(node);
      if (layer === graph.nLayers) continue;
      const [parent] = await graph.roots([node], { stopLayer: layer + 1 });
      check(
        'minimalCoveringNodes is minimal',
        (await graph.leaves(parent)).every((id) => part.includes(id)),
        false,
      );
    }
    check(
      'whole objects are covered by themselves',
      [...(await graph.minimalCoveringNodes([...l2, ...ofRoot(roots[0])]))],
      sorted([root, roots[0]]),
    );
    const { l2Ids, supervoxelIds } = await graph.l2ChunkChildren(l2[0]);
    const members = supervoxels.filter(
      (id) => graph.ids.chunkPositionOf(id).join() === graph.ids.chunkPositionOf(l2[0]).join(),
    );
    const parents = await graph.roots(members, { stopLayer: 2 });
    check(
      'l2ChunkChildren',
      members.every((id, k) => l2Ids.some((l2Id, n) => l2Id === parents[k] && supervoxelIds[n] === id)),
      true,
    );
  }
  check('validNodes', await graph.validNodes([roots[0], 5n, roots[0] + (1n << 40n), supervoxels[0]]), [
    true,
    false,
    false,
    true,
  ]);
  check('versions', (await graph.versions()).api, [0, 1]);
  check('oldestTimestamp', (await graph.oldestTimestamp())?.getTime(), epochs[1].ms - 500);
}

const volume = await openGraphene(`graphene://${ready.url}/segmentation/table/${ready.table}`, {
  token: null,
  allowEdits: true,
  dataDir: 'mem://none/none',
});
await makeEdits(volume.graph, Number(editCount));
console.log(
  `${edits.length} edits: ${edits.filter(({ isMerge }) => isMerge).length} joined, ${edits.filter(({ isMerge }) => !isMerge).length} parted; ${checks} checks`,
);
await checkTime(volume.graph);
console.log(`time: ${checks} checks, ${failures} wrong`);
await checkLogs(volume.graph);
console.log(`logs: ${checks} checks, ${failures} wrong`);
await checkNodes(volume.graph);
console.log(`nodes: ${checks} checks, ${failures} wrong`);
await volume.close();
process.exitCode = failures > 0 ? 1 : 0;
