/**
 * Handles boxes of voxels: clips them to the volume, formats them for the server, and tells which nodes touch
 * them.
 */
import { UnitRatio } from '../../base/unit-ratio.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { IdArithmetic } from '../ids/id-arithmetic.ts';
import { checkTriple, type Bounds, type GraphGrid } from './check-arguments.ts';

/** A half-open box inside the volume, in voxels of the graph's mip. */
export interface Box {
  min: Vec3;
  max: Vec3;
}

/** What is needed to tell where a node lies. */
export interface NodeSpace {
  grid: GraphGrid;
  ids: IdArithmetic;
  /** The first voxel of the first layer-2 chunk, and the size of layer-2 chunks. */
  chunks: { origin: Vec3; size: Vec3 };
  /** Layer of the roots. */
  nLayers: number;
}

/**
 * Clips bounds to the volume. Returns null if they are outside the volume, and undefined if there are none.
 *
 * @throws RangeError if the bounds are not a box, or if the volume begins below 0, because the server's text
 *   form has no negative numbers.
 */
export function clipToVolume(bounds: Bounds | undefined, grid: GraphGrid): Box | null | undefined {
  if (bounds === undefined) return undefined;
  const min = checkTriple(bounds.min, 'bounds.min'),
    max = checkTriple(bounds.max, 'bounds.max');
  const unit =
    bounds.resolution === undefined ? undefined : checkTriple(bounds.resolution, 'bounds.resolution');
  if (unit?.some((nm) => nm <= 0)) throw new RangeError('bounds.resolution must be positive');
  const box = { min: [0, 0, 0] as [number, number, number], max: [0, 0, 0] as [number, number, number] };
  for (let axis = 0; axis < 3; axis++) {
    const voxels = new UnitRatio(unit ? unit[axis] : grid.resolution[axis], grid.resolution[axis]);
    if (min[axis] > max[axis])
      throw new RangeError(`bounds: min ${min[axis]} is greater than max ${max[axis]}`);
    const from = Math.max(voxels.floor(min[axis]), grid.bounds.min[axis]),
      to = Math.min(voxels.ceil(max[axis]), grid.bounds.max[axis]);
    if (from >= to) return null;
    if (from < 0)
      throw new RangeError(
        'the server does not accept negative bounds, and this volume begins below 0: omit bounds',
      );
    box.min[axis] = from;
    box.max[axis] = to;
  }
  return box;
}

/** Formats a box for a query: `x0-x1_y0-y1_z0-z1`. */
export const formatBounds = (box: Box | undefined): string | undefined =>
  box?.min.map((from, axis) => `${from}-${box.max[axis]}`).join('_');

/**
 * Creates a filter: whether a node's graph chunk touches the box. The server judges nodes below the requested
 * one in the same way, except supervoxels. The root layer has one chunk, the whole volume. A node of a layer
 * that the graph does not describe counts as inside.
 */
export function createBoxFilter(
  box: Box | null | undefined,
  { ids, nLayers }: NodeSpace,
): (node: bigint) => boolean {
  if (!box) return () => box === undefined;
  const corners = new Map<number, { first: Vec3; last: Vec3 }>();
  const cornersOf = (layer: number): { first: Vec3; last: Vec3 } => {
    const corner = (point: Vec3): Vec3 => ids.chunkOfPoint(point, { layer });
    const known = corners.get(layer) ?? {
      first: corner(box.min),
      last: corner([box.max[0] - 1, box.max[1] - 1, box.max[2] - 1]),
    };
    corners.set(layer, known);
    return known;
  };
  return (node) => {
    const layer = ids.layerOf(node),
      position = ids.chunkPositionsOf(BigUint64Array.of(node));
    if (layer < 1 || layer >= nLayers || position[0] < 0) return true;
    const { first, last } = cornersOf(layer);
    return first.every((from, axis) => position[axis] >= from && position[axis] <= last[axis]);
  };
}
