/**
 * Finds the fewest nodes that cover exactly the given ones, from root look-ups of the leaves. The server's
 * endpoint `minimal_covering_nodes` loses whole objects, and fails when no other ID was given. It may also
 * return too high a node where an object skips layers: if several nodes have common parts, it checks the
 * parts of only one of them (PyChunkedGraph 2.21.1).
 */
import { sortDistinct } from './check-arguments.ts';

/** The look-ups that the search needs. */
export interface CoverQueries {
  layerOf: (id: bigint) => number;
  nLayers: number;
  /** Returns the leaves of whole objects. Foreign supervoxels may be among them; foreign nodes may not. */
  leavesOf: (objects: BigUint64Array, stopLayer: number) => Promise<Iterable<BigUint64Array>>;
  /** Returns what each node is part of at a layer. A node at or above the layer is its own ancestor. */
  ancestorsOf: (ids: BigUint64Array, layer: number) => Promise<BigUint64Array>;
}

/** The result. */
export interface Cover {
  /** Node IDs in ascending order. */
  nodes: BigUint64Array;
  /** A given ID that is not part of the objects, if there is one. */
  unrelated: bigint | undefined;
}

/**
 * Finds the cover.
 *
 * @param objects The roots of the given IDs.
 */
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
  /** Whether all of a node is wanted. If not, the wanted parts are added to `found`. */
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
