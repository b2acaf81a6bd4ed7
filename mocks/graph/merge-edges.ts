/**
 * Which edges a merge makes active: one between two objects stands for those that are known between them nearby.
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

/** Padding of the box in which an edit looks for edges, voxels. */
export const BOX_OFFSET = [240, 240, 24] as const;

/** Where an edit looks for edges; everywhere when it has no coordinates. */
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

/** Edges that a merge adds now. */
export function edgesToAdd(
  graph: TimedGraph,
  info: MockGraphInfo,
  added: readonly Edge[],
  coords: EditCoords,
): readonly Edge[] {
  const roots = graph.rootsNow(added.flat());
  if (roots.size < 2) throw new EditError('REFUSED', 'Supervoxels must belong to different objects.');
  return hasStandIns(graph, added)
    ? standIns(graph, info, added[0], { coords, roots, timeMs: Infinity })
    : added;
}

/** Edges that a merge made active, as things were just before it. */
export function edgesAddedBy(
  graph: TimedGraph,
  info: MockGraphInfo,
  added: readonly Edge[],
  { timeMs, ...coords }: EditCoords & { timeMs: number },
): readonly Edge[] {
  if (!hasStandIns(graph, added)) return added;
  const beforeMs = timeMs - 100;
  const roots = new Set(added[0].map((end) => graph.ancestorAt(end, graph.layout.layers, beforeMs)));
  if (roots.has(-1)) throw new EditError('FAILED', 'roots not found for some IDs');
  if (roots.size < 2) throw new EditError('FAILED', 'More than one segment is required for merge.');
  return standIns(graph, info, added[0], { coords, roots, timeMs: beforeMs });
}

/** An exact graph adds what it was asked for; so does the redo of several edges. */
const hasStandIns = ({ options }: TimedGraph, added: readonly Edge[]): boolean =>
  added.length === 1 && !options.exact;

function standIns(
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
