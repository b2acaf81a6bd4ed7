/** What a mocked chunkedgraph is described with, and how that becomes supervoxels, edges and edits. */
import { IdLayout, type GraphInfo } from './id-layout.ts';
import { TimedGraph, type Edge, type NameRoot, type TimedEdit } from './timed-graph.ts';

/** Decimal text or a bigint; a number would already be rounded. */
export type Id = string | bigint;

/** Unix seconds, ISO 8601 (no zone is UTC) or a Date; whole milliseconds count. */
export type Moment = number | string | Date;

export interface GraphEdit {
  timestamp: Moment;
  /** One new edge between two supervoxels. */
  merge?: readonly [Id, Id];
  /**
   * Supervoxels that end up apart: every edge between two of the groups is removed, and each group is held together by new
   * edges. What is not named stays with what it touches.
   */
  split?: readonly (readonly Id[])[];
  /** Exactly what is added and removed. */
  edges?: { added?: readonly (readonly Id[])[]; removed?: readonly (readonly Id[])[] };
  /** Names of the new roots, in the order of their smallest supervoxels. @default the next free IDs */
  new_root_ids?: readonly Id[];
}

export interface GraphDescription {
  /** As the server would answer it; `{DATA_DIR}` in `data_dir` stands for the option `dataDir`. */
  info: GraphInfo;
  /** Root ID at base by supervoxel: the whole graph in one table. */
  supervoxel_to_root?: Readonly<Record<string, Id>>;
  /** In place of the table: all supervoxels. */
  supervoxels?: Iterable<Id>;
  /** Root IDs at base, parallel to `supervoxels`. @default the next free IDs */
  roots?: Iterable<Id>;
  /**
   * Edges at base; `active: false` leaves one out.
   * @default each root's supervoxels in a row, so that those in one graph chunk are one layer-2 node
   */
  edges?: readonly (readonly Id[] | { between: readonly Id[]; active?: boolean })[];
  /** Before this moment there is no graph. @default 0 (1970) */
  base_timestamp?: Moment;
  /** In the order of their times. */
  edits?: readonly GraphEdit[];
  /** Names: the root of every supervoxel (parallel lists) at base and right after edits. Goes before `roots` and `new_root_ids`. */
  epochs?: readonly { timestamp: Moment; root: readonly Id[] }[];
}

export function toMs(moment: Moment): number {
  const ms = typeof moment === 'number' ? Math.floor(Math.round(moment * 1e6) / 1e3) : new Date(typeof moment === 'string' && !/(Z|[+-]\d\d:?\d\d)$/.test(moment) ? `${moment}Z` : moment).getTime();
  if (!Number.isFinite(ms)) throw new RangeError(`${String(moment)} is no moment`);
  return ms;
}

/** @throws RangeError or SyntaxError, naming what does not fit together. */
export function buildGraph(description: GraphDescription): { graph: TimedGraph; editTimesMs: number[] } {
  const { info, supervoxel_to_root: table, edges, base_timestamp = 0, edits = [], epochs = [] } = description;
  const supervoxels = BigUint64Array.from(toIds(table ? Object.keys(table) : (description.supervoxels ?? [])));
  const roots = table ? toIds(Object.values(table)) : description.roots && toIds(description.roots);
  if (roots && roots.length !== supervoxels.length) throw new RangeError(`${roots.length} roots for ${supervoxels.length} supervoxels`);
  if (!edges && !roots) throw new RangeError('a graph needs edges, or the root of every supervoxel');
  if (info.graph.n_layers < 3) throw new RangeError(`a graph has 3 layers or more, not ${info.graph.n_layers}`);

  const baseMs = toMs(base_timestamp);
  const namesAt = new Map(epochs.map(({ timestamp, root }) => [toMs(timestamp), nameBy(supervoxels, root.map(BigInt))]));
  const nameAtBase = namesAt.get(baseMs) ?? (roots ? nameBy(supervoxels, roots) : () => undefined);
  const graph = new TimedGraph(new IdLayout(info), supervoxels, edges ? toEdges(edges) : inARow(supervoxels, roots!), baseMs, nameAtBase);
  for (const edit of edits) {
    const timeMs = toMs(edit.timestamp);
    graph.apply({ timeMs, ...changes(graph, edit), nameRoot: namesAt.get(timeMs) ?? inOrder(edit.new_root_ids) });
  }
  return { graph, editTimesMs: edits.map(({ timestamp }) => toMs(timestamp)) };
}

const toIds = (ids: Iterable<Id>): bigint[] => Array.from(ids, BigInt);

function toEdge(pair: readonly Id[]): Edge {
  if (pair.length !== 2) throw new RangeError(`an edge is between two supervoxels, not ${pair.length}`);
  return [BigInt(pair[0]), BigInt(pair[1])];
}

const toEdges = (edges: NonNullable<GraphDescription['edges']>): Edge[] =>
  edges.flatMap((edge) => (!('between' in edge) ? [toEdge(edge)] : edge.active === false ? [] : [toEdge(edge.between)]));

const chain = (ids: readonly bigint[]): Edge[] => ids.slice(1).map((id, k) => [ids[k], id]);

function inARow(supervoxels: BigUint64Array, roots: readonly bigint[]): Edge[] {
  const byRoot = new Map<bigint, bigint[]>();
  const order = Uint32Array.from(supervoxels.keys()).sort((a, b) => (supervoxels[a] < supervoxels[b] ? -1 : 1));
  for (const k of order) {
    const members = byRoot.get(roots[k]);
    if (members) members.push(supervoxels[k]);
    else byRoot.set(roots[k], [supervoxels[k]]);
  }
  return [...byRoot.values()].flatMap(chain);
}

function changes(graph: TimedGraph, { merge, split = [], edges = {} }: GraphEdit): Pick<TimedEdit, 'added' | 'removed'> {
  const added = [...(edges.added ?? []), ...(merge ? [merge] : [])].map(toEdge);
  const removed = (edges.removed ?? []).map(toEdge);
  const groups = split.map((group) => group.map((id) => graph.supervoxel(BigInt(id))));
  const groupOf = new Map(groups.flatMap((group, g) => group.map((supervoxel) => [supervoxel, g] as const)));
  const id = (node: number): bigint => graph.nodes.idOf(node);
  for (const [a, g] of groupOf)
    for (const b of graph.neighboursOf(a)) if (a < b && (groupOf.get(b) ?? g) !== g) removed.push([id(a), id(b)]);
  return { added: [...added, ...groups.flatMap((group) => chain(group.map(id)))], removed };
}

function nameBy(supervoxels: BigUint64Array, roots: readonly bigint[]): NameRoot {
  const names = new Map(roots.map((root, k) => [supervoxels[k], root]));
  return (supervoxel) => names.get(supervoxel);
}

function inOrder(ids: readonly Id[] = []): NameRoot {
  let next = 0;
  return () => (next < ids.length ? BigInt(ids[next++]) : undefined);
}
