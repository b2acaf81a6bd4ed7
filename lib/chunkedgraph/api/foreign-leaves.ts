/**
 * Removes foreign leaves: leaves that do not belong to their node. When a merge is undone, the server may
 * leave an object below the root of another one, although the object also has a root of its own. This
 * concerns objects that skip layers, such as a pair of supervoxels in one chunk. `leaves` then lists the
 * object, while look-ups of its supervoxels are right (observed with PyChunkedGraph 2.21.1). A leaf is foreign
 * if it was part of another object at the time when its node was created.
 */
import { findCurrentNodes, type LeavesByNode, type NodeQueries } from './current-nodes.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { rootTimestamps } from './root-lifetimes.ts';

/** The look-ups that are needed. */
export interface ForeignLeafQueries extends Pick<NodeQueries, 'layerOf' | 'leavesMany'> {
  /** Returns what IDs are part of at a timestamp and a layer; 0 where there is nothing. */
  rootsAt: (ids: BigUint64Array, timestampMs: number, layer?: number) => Promise<BigUint64Array>;
}

/**
 * Removes foreign leaves. It sends one request for the creation times of the nodes, and one root look-up per
 * creation time and layer. Leaves above layer 1 must also be current at that time.
 */
export async function removeForeignLeaves(
  api: Endpoints,
  all: LeavesByNode,
  { layerOf, leavesMany, rootsAt }: ForeignLeafQueries,
  options: CallOptions,
): Promise<LeavesByNode> {
  const nodes = BigUint64Array.from(
    [...all]
      .filter(([node, leaves]) => leaves.length > 0 && layerOf(node) > layerOf(leaves[0]))
      .map(([node]) => node),
  );
  if (nodes.length === 0) return all;
  const made = await rootTimestamps(api, nodes, options),
    groups = new Map<string, { ms: number; layer: number; nodes: bigint[] }>();
  nodes.forEach((node, k) => {
    const ms = made[k],
      layer = layerOf(node),
      key = `${ms}:${layer}`;
    const group = groups.get(key);
    if (group) group.nodes.push(node);
    else groups.set(key, { ms, layer, nodes: [node] });
  });
  const kept = new Map(all);
  await Promise.all(
    Array.from(groups.values(), async ({ ms, layer, nodes: made }) => {
      const ids = BigUint64Array.from(made.flatMap((node) => [...all.get(node)!])),
        above = ids.filter((id) => layerOf(id) > 1);
      const [parents, { current }] = await Promise.all([
        rootsAt(ids, ms, layer),
        findCurrentNodes(above, { layerOf, leavesMany, rootsAt: (list, at) => rootsAt(list, ms, at) }),
      ]);
      let at = 0;
      for (const node of made) {
        const leaves = all.get(node)!,
          start = at;
        at += leaves.length;
        kept.set(
          node,
          leaves.filter(
            (leaf, k) => parents[start + k] === node && (layerOf(leaf) === 1 || current.has(leaf)),
          ),
        );
      }
    }),
  );
  return kept;
}
