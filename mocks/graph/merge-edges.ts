/**
 * Finds the edges that a merge activates: known edges near the requested one, if there are any, replace it.
 * Source: PyChunkedGraph, pychunkedgraph/graph/edits.py, merge_preprocess, and operation.py.
 */
import { chunkBox, type ChunkBox } from './chunk-grid.ts';
import { EditError } from './edit-error.ts';
import type { Edge } from './edge-table.ts';
import type { MockGraphInfo } from './node-id-layout.ts';
import { edgesToActivate } from './local-edges.ts';
import type { EditCoords } from './operation-log.ts';
import { supervoxelsOf } from './subtree.ts';
import type { TimedGraph } from './timed-graph.ts';

/** Padding of the box in which an edit looks for edges, in voxels. */
export const BOX_OFFSET = [240, 240, 24] as const;

/**
 * The box in which an edit looks for edges; undefined, which means everywhere, when the edit has no
 * coordinates.
 */
export function boxAround(
  info: MockGraphInfo,
  { sourceCoords, sinkCoords }: EditCoords,
): ChunkBox | undefined {
  if (!sourceCoords || !sinkCoords) return undefined;
  const coords = [...sourceCoords, ...sinkCoords];
  const side = (pick: (...values: number[]) => number, sign: number): number[] =>
    [0, 1, 2].map((axis) => pick(...coords.map((voxel) => voxel[axis])) + sign * BOX_OFFSET[axis]);
  return chunkBox(info, side(Math.min, -1), side(Math.max, 1));
}

/** The edges that a merge adds if it is made now. */
export function edgesToAdd(
  graph: TimedGraph,
  info: MockGraphInfo,
  added: readonly Edge[],
  coords: EditCoords,
): readonly Edge[] {
  const roots = graph.rootsNow(added.flat());
  if (roots.size < 2) throw new EditError('REFUSED', 'Supervoxels must belong to different objects.');
  return isReplaceable(graph, added)
    ? knownEdgesFor(graph, info, added[0], { coords, roots, timeMs: Infinity })
    : added;
}

/** The edges that an earlier merge activated, found in the graph just before it. */
export function edgesAddedBy(
  graph: TimedGraph,
  info: MockGraphInfo,
  added: readonly Edge[],
  { timeMs, ...coords }: EditCoords & { timeMs: number },
): readonly Edge[] {
  if (!isReplaceable(graph, added)) return added;
  const beforeMs = timeMs - 100;
  const roots = new Set(added[0].map((end) => graph.ancestorAt(end, graph.layout.layers, beforeMs)));
  if (roots.has(-1)) throw new EditError('FAILED', 'roots not found for some IDs');
  if (roots.size < 2) throw new EditError('FAILED', 'More than one segment is required for merge.');
  return knownEdgesFor(graph, info, added[0], { coords, roots, timeMs: beforeMs });
}

/**
 * Whether known edges may replace the requested one: not in an exact graph, and not when several are
 * requested.
 */
const isReplaceable = ({ options }: TimedGraph, added: readonly Edge[]): boolean =>
  added.length === 1 && !options.exact;

function knownEdgesFor(
  graph: TimedGraph,
  info: MockGraphInfo,
  edge: Edge,
  { coords, roots, timeMs }: { coords: EditCoords; roots: Iterable<number>; timeMs: number },
): readonly Edge[] {
  const box = boxAround(info, coords);
  const nearby = [...roots].flatMap((root) => supervoxelsOf(graph, root, box));
  const known = edgesToActivate(graph, nearby, edge, timeMs) ?? [];
  return known.length > 0 ? known : [edge];
}
