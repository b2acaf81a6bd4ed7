/** Builds the graph of a mocked chunkedgraph from its description: supervoxels, edges, then edits. */
import { wordsOf } from '../lib/base/uint64.ts';
import { toMs, type GraphDescription, type GraphEdit, type Id } from './graph-description.ts';
import type { EdgeList } from './graph/edge-table.ts';
import { Uint64Index } from './graph/uint64-index.ts';
import { NodeIdLayout } from './graph/node-id-layout.ts';
import { NodeTable } from './graph/node-table.ts';
import { Editor } from './graph/editor.ts';
import type { Edge } from './graph/edge-table.ts';
import type { ChooseRootId } from './graph/build-ancestors.ts';
import { TimedGraph } from './graph/timed-graph.ts';

/**
 * Builds the graph and replays its edits.
 * @throws RangeError or SyntaxError that names the part that does not match.
 */
export function buildGraph(
  description: GraphDescription,
  { exact, multicut }: { exact: boolean; multicut: (graph: TimedGraph) => Editor['multicut'] },
): Editor {
  const { info, supervoxel_to_root: table, edges, base_timestamp = 0, edits = [], epochs = [] } = description;
  const supervoxels = toIds(table ? Object.keys(table) : (description.supervoxels ?? []));
  const roots = table ? toIds(Object.values(table)) : description.roots && toIds(description.roots);
  if (roots && roots.length !== supervoxels.length)
    throw new RangeError(`${roots.length} roots for ${supervoxels.length} supervoxels`);
  if (!edges && !roots) throw new RangeError('a graph needs edges, or the root of every supervoxel');
  if (info.graph.n_layers < 3)
    throw new RangeError(`a graph has 3 layers or more, not ${info.graph.n_layers}`);

  const baseMs = toMs(base_timestamp);
  const nodes = new NodeTable(2 * supervoxels.length);
  const words = wordsOf(supervoxels.slice().sort());
  for (let k = 0; k < words.length; k += 2) nodes.add(words[k], words[k + 1], baseMs, []);

  const namesAt = new Map(
    epochs.map(({ timestamp, root }) => [toMs(timestamp), rootIdChooser(nodes, supervoxels, toIds(root))]),
  );
  const nameAtBase = namesAt.get(baseMs) ?? (roots && rootIdChooser(nodes, supervoxels, roots));
  const edgeList = edges ? toEdgeList(nodes, edges) : chainEdges(nodes, supervoxels, roots!);
  const graph = new TimedGraph(new NodeIdLayout(info), nodes, edgeList, baseMs, { exact }, nameAtBase);
  const editor = new Editor(graph, info, multicut(graph));
  for (const edit of edits) replay(editor, edit, namesAt.get(toMs(edit.timestamp)));
  return editor;
}

const toIds = (ids: Iterable<Id>): BigUint64Array =>
  ids instanceof BigUint64Array ? ids : BigUint64Array.from(ids as Iterable<bigint>, BigInt);

function nodeOf(nodes: NodeTable, id: Id): number {
  const node = nodes.findId(BigInt(id));
  if (node < 0) throw new RangeError(`there is no supervoxel ${id}`);
  return node;
}

function toEdge(nodes: NodeTable, pair: readonly Id[]): Edge {
  if (pair.length !== 2) throw new RangeError(`an edge is between two supervoxels, not ${pair.length}`);
  return [nodeOf(nodes, pair[0]), nodeOf(nodes, pair[1])];
}

function toEdgeList(nodes: NodeTable, edges: NonNullable<GraphDescription['edges']>): EdgeList {
  if (edges instanceof BigUint64Array) {
    const words = wordsOf(edges);
    const ends = Int32Array.from({ length: edges.length - (edges.length % 2) }, (_, k) =>
      nodes.find(words[2 * k], words[2 * k + 1]),
    );
    const missing = ends.indexOf(-1);
    if (missing >= 0) throw new RangeError(`there is no supervoxel ${edges[missing]}`);
    return { ends };
  }
  const ends = new Int32Array(2 * edges.length);
  const active = new Uint8Array(edges.length).fill(1),
    affinities = new Float32Array(edges.length).fill(1),
    areas = new Float64Array(edges.length).fill(1);
  edges.forEach((edge, e) => {
    ends.set(toEdge(nodes, 'between' in edge ? edge.between : edge), 2 * e);
    if (!('between' in edge)) return;
    if (edge.active === false) active[e] = 0;
    affinities[e] = edge.affinity ?? 1;
    areas[e] = edge.area ?? 1;
  });
  return { ends, active, affinities, areas };
}

/** Reorders `ids`, which are parallel to `supervoxels`, by node. */
function byNode(nodes: NodeTable, supervoxels: BigUint64Array, ids: BigUint64Array): BigUint64Array {
  const words = wordsOf(supervoxels);
  const sorted = new BigUint64Array(ids.length);
  for (let k = 0; k < ids.length; k++) sorted[nodes.find(words[2 * k], words[2 * k + 1])] = ids[k];
  return sorted;
}

/** Edges that connect each root's supervoxels in a chain, in ascending order. */
function chainEdges(nodes: NodeTable, supervoxels: BigUint64Array, roots: BigUint64Array): EdgeList {
  const words = wordsOf(byNode(nodes, supervoxels, roots));
  const newest = new Uint64Index(1024);
  const ends: number[] = [];
  for (let node = 0; node < supervoxels.length; node++) {
    const before = newest.get(words[2 * node], words[2 * node + 1]);
    if (before >= 0) ends.push(before, node);
    newest.set(words[2 * node], words[2 * node + 1], node);
  }
  return { ends: Int32Array.from(ends) };
}

function replay(editor: Editor, edit: GraphEdit, nameRoot: ChooseRootId | undefined): void {
  const { graph } = editor;
  const {
    merge,
    split = [],
    edges = {},
    user = '0',
    source_coords: sourceCoords,
    sink_coords: sinkCoords,
  } = edit;
  const supervoxel = (id: Id): number => graph.supervoxel(BigInt(id));
  const added = [...(edges.added ?? []), ...(merge ? [merge] : [])].map((pair) => toEdge(graph.nodes, pair));
  const removed = (edges.removed ?? []).map((pair) => toEdge(graph.nodes, pair));
  for (const edge of removed)
    if (!graph.edges.has(...edge))
      throw new RangeError(
        `there is no edge between ${graph.nodes.idOf(edge[0])} and ${graph.nodes.idOf(edge[1])} to remove`,
      );
  const groups = split.map((group) => group.map(supervoxel));
  const groupOf = new Map(groups.flatMap((group, g) => group.map((member) => [member, g] as const)));
  for (const [a, g] of groupOf)
    graph.edges.forEach(a, (b) => {
      if (a < b && (groupOf.get(b) ?? g) !== g) removed.push([a, b]);
    });
  for (const group of groups) group.slice(1).forEach((member, k) => added.push([group[k], member]));

  const kind = edit.type ?? (removed.length === 0 ? 'merge' : 'split');
  const ids = {
    ...(edit.source_ids ? { sources: edit.source_ids.map(supervoxel) } : {}),
    ...(edit.sink_ids ? { sinks: edit.sink_ids.map(supervoxel) } : {}),
  };
  const name = nameRoot ?? nextOf(edit.new_root_ids);
  editor.replay(
    kind,
    { added, removed },
    { ...(edit.of === undefined ? {} : { of: edit.of }), ...ids },
    { user, timeMs: toMs(edit.timestamp), sourceCoords, sinkCoords, nameRoot: name },
  );
}

function rootIdChooser(nodes: NodeTable, supervoxels: BigUint64Array, roots: BigUint64Array): ChooseRootId {
  const names = byNode(nodes, supervoxels, roots);
  return (supervoxel) => names[supervoxel];
}

/** Gives out the listed IDs one by one; undefined without a list. */
function nextOf(ids: readonly Id[] | undefined): ChooseRootId | undefined {
  if (!ids) return undefined;
  let next = 0;
  return () => (next < ids.length ? BigInt(ids[next++]) : undefined);
}
