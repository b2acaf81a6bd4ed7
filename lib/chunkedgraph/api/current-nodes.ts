/**
 * Finds which nodes between supervoxels and roots are current at a timestamp. A root look-up of the node
 * cannot tell: where a merge was undone, the server leads from a replaced node to a current root (observed with
 * PyChunkedGraph 2.21.1). But a supervoxel always leads to current nodes. One supervoxel per node is enough,
 * because an edit replaces a whole node.
 */
/** The leaves of each node. */
export type LeavesByNode = Map<bigint, BigUint64Array>;

/** The look-ups that are needed about nodes, at one timestamp. */
export interface NodeQueries {
  layerOf: (id: bigint) => number;
  leavesMany: (nodes: BigUint64Array, stopLayer: number) => Promise<LeavesByNode>;
  /** Returns the node at `layer`, by default the root, that each ID is part of at the timestamp; 0 if none. */
  rootsAt: (ids: BigUint64Array, layer?: number) => Promise<BigUint64Array>;
}

/** Which nodes are current, and their supervoxels. */
export interface CurrentNodes {
  current: Set<bigint>;
  /** The supervoxels of all given nodes. */
  supervoxels: LeavesByNode;
}

/**
 * Finds the current nodes.
 *
 * @param nodes IDs above layer 1.
 */
export async function findCurrentNodes(
  nodes: BigUint64Array,
  { layerOf, leavesMany, rootsAt }: NodeQueries,
): Promise<CurrentNodes> {
  const current = new Set<bigint>();
  if (nodes.length === 0) return { current, supervoxels: new Map() };
  const supervoxels = await leavesMany(nodes, 1),
    known = nodes.filter((node) => supervoxels.get(node)!.length > 0);
  const checkLayer = async (layer: number): Promise<void> => {
    const list = known.filter((node) => layerOf(node) === layer),
      found = await rootsAt(
        BigUint64Array.from(list, (node) => supervoxels.get(node)![0]),
        layer,
      );
    list.forEach((node, k) => found[k] === node && current.add(node));
  };
  await Promise.all(Array.from(new Set(Array.from(known, layerOf)), checkLayer));
  return { current, supervoxels };
}
