/**
 * The endpoint that shows the parts that a split would leave. Source: PyChunkedGraph,
 * pychunkedgraph/graph/cutting.py, run_split_preview.
 */
import type { Edge } from '../graph/edge-table.ts';
import { forEachDirected } from '../graph/local-edges.ts';
import { boxAround } from '../graph/merge-edges.ts';
import { Neighbours } from '../graph/neighbours.ts';
import { EditError } from '../graph/edit-error.ts';
import { supervoxelsOf } from '../graph/subtree.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { MockResponse } from '../message.ts';
import { jsonReply, nodesToJson } from './endpoint-replies.ts';
import { supervoxelNodes, twoSides } from './edit-points.ts';
import type { EndpointRequest, TableContext } from './endpoint.ts';
import { ServerCrash } from './python-values.ts';

export function splitPreviewEndpoint(context: TableContext, { query, body }: EndpointRequest): MockResponse {
  const { graph, editor, info } = context;
  const { sources, sinks } = twoSides(context, body);
  const sides = [supervoxelNodes(graph, sources.ids), supervoxelNodes(graph, sinks.ids)] as const;
  const roots = graph.rootsNow(sides.flat());
  if (roots.size !== 1) throw new EditError('REFUSED', 'Supervoxels must belong to the same object.');
  const cut = editor.multicut(...sides);
  if (!cut)
    throw new ServerCrash(
      'the mock has no multicut for these sources and sinks: list the edges it removes in the option multicuts',
    );
  const [root] = roots;
  const box = boxAround(info, { sourceCoords: sources.coords, sinkCoords: sinks.coords });
  const parts = partsWithout(graph, supervoxelsOf(graph, root, box), cut);
  const [first, second] = sides.map((side) => partOf(parts, side));
  const isWhole = (side: readonly number[], part: readonly number[]): boolean =>
    side.every((node) => part.includes(node));
  const others = parts.filter((part) => part !== first && part !== second);
  return jsonReply({
    supervoxel_connected_components: [first, second, ...others].map((part) =>
      nodesToJson(context, query, part),
    ),
    illegal_split: first === second || !isWhole(sides[0], first) || !isWhole(sides[1], second),
  });
}

/**
 * The parts of `supervoxels` that known edges still connect once the cut edges are removed. A supervoxel
 * without edges is in no part.
 */
function partsWithout(graph: TimedGraph, supervoxels: readonly number[], cut: readonly Edge[]): number[][] {
  const removed = new Set(cut.flatMap(([a, b]) => [`${a},${b}`, `${b},${a}`]));
  const here = new Set(supervoxels);
  const neighbours = new Neighbours();
  forEachDirected(graph, here, (a, b) => {
    if (!here.has(b)) return;
    neighbours.add(a);
    neighbours.add(b);
    if (!removed.has(`${a},${b}`)) neighbours.link(a, b);
  });
  return neighbours.components();
}

/** The part with the most nodes of `side`; an empty part when none has any. */
function partOf(parts: readonly number[][], side: readonly number[]): number[] {
  const count = (part: readonly number[]): number => side.filter((node) => part.includes(node)).length;
  return parts.reduce((best, part) => (count(part) > count(best) ? part : best), []);
}
