/**
 * Reads the points of edit requests, and finds the supervoxels at them. Source: PyChunkedGraph,
 * app/app_utils.py.
 */
import { scaleOf } from '../graph/chunk-grid.ts';
import type { MockGraphInfo } from '../graph/node-id-layout.ts';
import { locateSupervoxels } from '../graph/locate-supervoxels.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { TableContext } from './endpoint.ts';
import { ServerCrash, requiredMember, NumberText, parsePythonJson, uint64Array } from './python-values.ts';

export interface EditPoints {
  /** IDs of supervoxels; before they are located also of nodes above them. */
  ids: bigint[];
  /** Points in voxels, xyz; whole numbers once they are located. */
  coords: number[][];
}

/** Reads a body of exactly two points, not yet located. */
export function twoPoints({ info }: TableContext, body: Uint8Array): EditPoints {
  const points = parsePythonJson(body);
  if (!Array.isArray(points) || points.length !== 2) throw new ServerCrash('');
  return pointsOf(info, points);
}

/** Reads the two sides of a split, located. */
export function twoSides(
  context: TableContext,
  body: Uint8Array,
): { sources: EditPoints; sinks: EditPoints } {
  const parsed = parsePythonJson(body);
  const sides = ['sources', 'sinks'].map((name) => pointsOf(context.info, requiredMember(parsed, name)));
  const [sources, sinks] = locatePoints(context, ...sides);
  return { sources, sinks };
}

/** Reads rows of an ID and a point in nanometres: `[id, x, y, z]`. */
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

/** Replaces the IDs of points by the IDs of the supervoxels at them. */
export function locatePoints(context: TableContext, ...lists: EditPoints[]): EditPoints[] {
  const { graph, info, labelAt, strict, splitSupervoxel } = context;
  const ids = lists.flatMap((points) => points.ids),
    coords = lists.flatMap((points) => points.coords);
  // Where supervoxels can split, the voxel counts and not the ID. Source: branch pcgv3, app/app_utils.py.
  const found =
    splitSupervoxel && labelAt && ids.every((id) => graph.layout.layerOfId(id) === 1)
      ? coords.map(([x, y, z]) => labelAt(Math.trunc(x), Math.trunc(y), Math.trunc(z)))
      : locateSupervoxels(graph, info, ids, coords, { labelAt, clampsToVolume: strict });
  return lists.map((points) => ({
    ids: found.splice(0, points.ids.length),
    coords: points.coords.map((point) => point.map(Math.trunc)),
  }));
}

/** The nodes of supervoxel IDs. @throws ServerCrash for an ID that is not a supervoxel's. */
export const supervoxelNodes = (graph: TimedGraph, ids: readonly bigint[]): number[] =>
  ids.map((id) => {
    const node = graph.nodes.findId(id);
    if (!graph.isSupervoxel(node)) throw new ServerCrash('');
    return node;
  });
