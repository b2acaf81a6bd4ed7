/**
 * Which nodes between supervoxels and roots stand at a moment. Root look-ups do not tell: the server climbs from a replaced node as well, and
 * comes to a root that stands where a merge was undone (observed of PyChunkedGraph 2.21.1). A supervoxel always leads to the nodes that stand,
 * and any one will do, as an edit replaces all of a node.
 */
export type LeavesByNode = Map<bigint, BigUint64Array>;

export interface NodeQueries {
  layerOf: (id: bigint) => number;
  leavesMany: (nodes: BigUint64Array, stopLayer: number) => Promise<LeavesByNode>;
  /** What IDs are part of at the moment, at a layer; 0 where there is nothing. @param layer @default the roots' */
  rootsAt: (ids: BigUint64Array, layer?: number) => Promise<BigUint64Array>;
}

export interface CurrentNodes {
  current: Set<bigint>;
  /** Supervoxels of all that were asked about. */
  supervoxels: LeavesByNode;
}

/** @param nodes Above layer 1. */
export async function findCurrentNodes(
  nodes: BigUint64Array,
  { layerOf, leavesMany, rootsAt }: NodeQueries,
): Promise<CurrentNodes> {
  const current = new Set<bigint>();
  if (nodes.length === 0) return { current, supervoxels: new Map() };
  const supervoxels = await leavesMany(nodes, 1),
    known = nodes.filter((node) => supervoxels.get(node)!.length > 0);
  const look = async (layer: number): Promise<void> => {
    const list = known.filter((node) => layerOf(node) === layer),
      found = await rootsAt(
        BigUint64Array.from(list, (node) => supervoxels.get(node)![0]),
        layer,
      );
    list.forEach((node, k) => found[k] === node && current.add(node));
  };
  await Promise.all(Array.from(new Set(Array.from(known, layerOf)), look));
  return { current, supervoxels };
}
