/**
 * The fewest nodes that hold exactly what given ones hold, worked out from what root look-ups say of the leaves. The server's endpoint for
 * it, `minimal_covering_nodes`, loses whole objects, and fails when nothing else was asked for. It may also take too high a node where an
 * object skips layers: of nodes that have something below them in common it looks at that below one of them only (PyChunkedGraph 2.21.1).
 */
import { sortDistinct } from './check-arguments.ts';

export interface CoverQueries {
  layerOf: (id: bigint) => number;
  nLayers: number;
  /** The leaves of whole objects. Foreign supervoxels may be among them; foreign nodes may not. */
  leavesOf: (objects: BigUint64Array, stopLayer: number) => Promise<Iterable<BigUint64Array>>;
  /** What nodes are part of at a layer, themselves at or above it. */
  ancestorsOf: (ids: BigUint64Array, layer: number) => Promise<BigUint64Array>;
}

export interface Cover {
  /** Ascending. */
  nodes: BigUint64Array;
  /** The given ID that is no part of the objects, if any. */
  unrelated: bigint | undefined;
}

/** @param objects The roots of what is given. */
export async function findCover(
  given: BigUint64Array,
  objects: BigUint64Array,
  { layerOf, nLayers, leavesOf, ancestorsOf }: CoverQueries,
): Promise<Cover> {
  const lowest = given.some((id) => layerOf(id) === 1) ? 1 : 2,
    childrenOf = new Map<bigint, bigint[]>(),
    known = new Set<bigint>(objects);
  let level = sortDistinct(
    BigUint64Array.from([...(await leavesOf(objects, lowest))].flatMap((list) => [...list])),
  );
  for (let layer = lowest + 1; layer <= nLayers; layer++) {
    const parents = await ancestorsOf(level, layer);
    level.forEach((child, k) => {
      const parent = parents[k];
      if (parent === child || parent === 0n) return;
      known.add(child);
      const siblings = childrenOf.get(parent);
      if (siblings) siblings.push(child);
      else childrenOf.set(parent, [child]);
    });
    level = sortDistinct(parents);
  }
  const wanted = new Set(given),
    found: bigint[] = [];
  /** Whether all of a node is wanted; otherwise the parts that are have been found. */
  const isWanted = (node: bigint): boolean => {
    if (wanted.has(node)) return true;
    const children = childrenOf.get(node) ?? [],
      whole = children.filter(isWanted);
    if (children.length > 0 && whole.length === children.length) return true;
    for (const child of whole) found.push(child);
    return false;
  };
  for (const root of objects) if (isWanted(root)) found.push(root);
  return { nodes: BigUint64Array.from(found).sort(), unrelated: given.find((id) => !known.has(id)) };
}
