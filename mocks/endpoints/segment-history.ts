/**
 * Finds the lineage of roots for the lineage endpoints and the change logs. Source: PyChunkedGraph,
 * pychunkedgraph/graph/segmenthistory.py.
 */
import { traceLineage, type RootLineage } from '../graph/lineage-graph.ts';
import type { MockOperation } from '../graph/operation-log.ts';
import type { TableContext } from './endpoint.ts';
import { ServerCrash } from './python-values.ts';

const OPERATION_LEAD_MS = 500; // `oldest_timestamp` is this long before the first operation

export interface SegmentHistory {
  roots: number[];
  lineage: RootLineage;
}

/**
 * The lineage of roots from a timestamp in the past to now.
 * @param pastMs Milliseconds since 1970. By default just before the first operation.
 */
export function segmentHistory(
  context: TableContext,
  ids: Iterable<bigint>,
  pastMs = oldestMs(context) ?? 0,
): SegmentHistory {
  const all = [...ids];
  for (const id of all) requireRootLayer(context, id);
  const roots = all.map((id) => nodeWithChildren(context, id));
  return { roots, lineage: traceLineage(context.graph, roots, pastMs, context.now()) };
}

/** Half a second before the first operation; undefined when there is no operation. */
export function oldestMs({ editor }: TableContext): number | undefined {
  const first = editor.operations[0] as MockOperation | undefined;
  return first && first.timeMs - OPERATION_LEAD_MS;
}

/** The node of a root ID. @throws ServerCrash for an ID of another layer or an unknown ID. */
export function rootNode(context: TableContext, id: bigint): number {
  requireRootLayer(context, id);
  return nodeWithChildren(context, id);
}

function requireRootLayer({ graph: { layout } }: TableContext, id: bigint): void {
  if (layout.layerOfId(id) !== layout.layers) throw new ServerCrash(`${id} is no root`);
}

/** The node of an ID. @throws ServerCrash for a supervoxel or an unknown ID. */
export function nodeWithChildren({ graph }: TableContext, id: bigint): number {
  const node = graph.nodes.findId(id);
  if (node < 0 || graph.isSupervoxel(node)) throw new ServerCrash(String(id));
  return node;
}
