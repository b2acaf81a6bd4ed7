/** The past and the future of roots, which change logs look at too. Source: PyChunkedGraph, pychunkedgraph/graph/segmenthistory.py. */
import { traceLineage, type RootLineage } from '../graph/lineage-graph.ts';
import type { MockOperation } from '../graph/operation-log.ts';
import type { TableContext } from './endpoint.ts';
import { ServerCrash } from './python-values.ts';

const OPERATION_LEAD_MS = 500; // `oldest_timestamp` is that much before the first operation

export interface SegmentHistory {
  roots: number[];
  lineage: RootLineage;
}

/** From a timestamp in the past to now. @param pastMs @default before the first operation */
export function segmentHistory(
  context: TableContext,
  ids: Iterable<bigint>,
  pastMs = oldestMs(context) ?? 0,
): SegmentHistory {
  const all = [...ids];
  for (const id of all) wantRootLayer(context, id);
  const roots = all.map((id) => nodeWithChildren(context, id));
  return { roots, lineage: traceLineage(context.graph, roots, pastMs, context.now()) };
}

/** Half a second before the first operation; undefined without one. */
export function oldestMs({ editor }: TableContext): number | undefined {
  const first = editor.operations[0] as MockOperation | undefined;
  return first && first.timeMs - OPERATION_LEAD_MS;
}

/** @throws Crash for an ID of another layer, or one that nobody knows. */
export function rootNode(context: TableContext, id: bigint): number {
  wantRootLayer(context, id);
  return nodeWithChildren(context, id);
}

function wantRootLayer({ graph: { layout } }: TableContext, id: bigint): void {
  if (layout.layerOfId(id) !== layout.layers) throw new ServerCrash(`${id} is no root`);
}

/** @throws Crash for what has no children, as a supervoxel or an unknown ID. */
export function nodeWithChildren({ graph }: TableContext, id: bigint): number {
  const node = graph.nodes.findId(id);
  if (node < graph.supervoxels) throw new ServerCrash(String(id));
  return node;
}
