/** Points and IDs that edits are asked for with, and the supervoxels they mean. Source: PyChunkedGraph, app/app_utils.py. */
import { scaleOf } from '../graph/chunk-grid.ts';
import type { MockGraphInfo } from '../graph/node-id-layout.ts';
import { locateSupervoxels } from '../graph/locate-supervoxels.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { TableContext } from './endpoint.ts';
import { ServerCrash, requiredMember, NumberText, parsePythonJson, uint64Array } from './python-values.ts';

export interface EditPoints {
  /** Of supervoxels, or of nodes above them until they are located. */
  ids: bigint[];
  /** Voxels, whole ones once they are located. */
  coords: number[][];
}

/** A body of exactly two points, as they were sent. */
export function twoPoints({ info }: TableContext, body: Uint8Array): EditPoints {
  const points = parsePythonJson(body);
  if (!Array.isArray(points) || points.length !== 2) throw new ServerCrash('');
  return pointsOf(info, points);
}

/** What a split is between, located. */
export function twoSides(
  context: TableContext,
  body: Uint8Array,
): { sources: EditPoints; sinks: EditPoints } {
  const parsed = parsePythonJson(body);
  const sides = ['sources', 'sinks'].map((name) => pointsOf(context.info, requiredMember(parsed, name)));
  const [sources, sinks] = located(context, ...sides);
  return { sources, sinks };
}

/** Rows of an ID and a point in nanometres. */
function pointsOf(info: MockGraphInfo, list: unknown): EditPoints {
  if (!Array.isArray(list)) throw new ServerCrash("'NoneType' object is not iterable");
  const rows = list.map((row: unknown): unknown[] => {
    if (!Array.isArray(row) || row.length !== 4)
      throw new ServerCrash('operands could not be broadcast together');
    return row;
  });
  const { resolution } = scaleOf(info);
  const coords = rows.map((row) =>
    row
      .slice(1)
      .map((value, axis) => (value instanceof NumberText ? Number(value.text) : NaN) / resolution[axis]),
  );
  if (coords.flat().some(Number.isNaN)) throw new ServerCrash('unsupported operand type(s)');
  return { ids: [...uint64Array(rows.map(([id]) => id))], coords };
}

/** The same points with the supervoxels that they mean. */
export function located(context: TableContext, ...lists: EditPoints[]): EditPoints[] {
  const { graph, info, labelAt, strict } = context;
  const ids = lists.flatMap((points) => points.ids),
    coords = lists.flatMap((points) => points.coords);
  const found = locateSupervoxels(graph, info, ids, coords, { labelAt, clampsToVolume: strict });
  return lists.map((points) => ({
    ids: found.splice(0, points.ids.length),
    coords: points.coords.map((point) => point.map(Math.trunc)),
  }));
}

/** @throws Crash for an ID that is not a supervoxel's. */
export const supervoxelNodes = (graph: TimedGraph, ids: readonly bigint[]): number[] =>
  ids.map((id) => {
    const node = graph.nodes.findId(id);
    if (node < 0 || node >= graph.supervoxels) throw new ServerCrash('');
    return node;
  });
