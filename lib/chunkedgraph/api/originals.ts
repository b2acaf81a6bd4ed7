/** Finds the roots that a graph began with. */
import type { Vec3 } from '../../base/vec3.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import type { GraphNodes } from './graph-nodes.ts';
import * as history from './history.ts';
import { sortDistinct, type GraphGrid } from './check-arguments.ts';

/** Returns the first roots that each root was made from. */
export async function findOriginals(
  api: Endpoints,
  roots: BigUint64Array,
  options: CallOptions,
): Promise<Map<bigint, BigUint64Array>> {
  const { links } = await history.lineageWalk(api, roots, undefined, 0, options);
  const sources = new Map<bigint, bigint[]>();
  for (const { source, target } of links) sources.set(target, [...(sources.get(target) ?? []), source]);
  return new Map(
    Array.from(roots, (root) => {
      const seen = new Set([root]),
        first: bigint[] = [];
      for (const node of seen) {
        const from = sources.get(node);
        if (from)
          for (const source of from) seen.add(source); // the loop over `seen` also visits these
        else first.push(node);
      }
      return [root, BigUint64Array.from(first).sort()];
    }),
  );
}

/**
 * Returns some roots that the graph began with. It takes them from one graph chunk near the middle of the
 * volume. Empty if the chunks there are empty.
 */
export async function findFirstRoots(
  graph: GraphNodes,
  api: Endpoints,
  { bounds }: GraphGrid,
  options: CallOptions,
): Promise<BigUint64Array> {
  const { min, max } = bounds;
  for (const position of middleChunks(
    graph.ids.chunkOfPoint(min),
    graph.ids.chunkOfPoint(max.map((end) => end - 1)),
  )) {
    const { supervoxelIds } = await graph.l2ChunkChildren(graph.ids.encode(2, position), {
      ...options,
      timestamp: 'now',
    });
    if (supervoxelIds.length === 0) continue;
    const roots = await graph.roots(supervoxelIds.subarray(0, SUPERVOXELS_TRIED), {
      timestamp: 'now',
      signal: options.signal,
    });
    const first = await findOriginals(
      api,
      sortDistinct(roots).filter((root) => root !== 0n),
      options,
    );
    return sortDistinct(BigUint64Array.from([...first.values()].flatMap((list) => [...list])));
  }
  return new BigUint64Array(0);
}

/** How many graph chunks are searched along each axis. */
const CHUNKS_TRIED = 5,
  SUPERVOXELS_TRIED = 1000;

/** Returns the positions in the middle of a grid from `first` to `last`, the innermost first. */
function middleChunks(first: Vec3, last: Vec3): Vec3[] {
  const middle = first.map((from, axis) => Math.floor((from + last[axis]) / 2));
  const along = (axis: number): number[] => {
    const from = Math.max(first[axis], middle[axis] - Math.floor(CHUNKS_TRIED / 2));
    return Array.from({ length: Math.min(CHUNKS_TRIED, last[axis] - from + 1) }, (_, k) => from + k);
  };
  const distance = (position: Vec3): number =>
    Math.max(...position.map((at, axis) => Math.abs(at - middle[axis])));
  const chunks = along(0).flatMap((x) => along(1).flatMap((y) => along(2).map((z): Vec3 => [x, y, z])));
  return chunks.sort((a, b) => distance(a) - distance(b));
}
