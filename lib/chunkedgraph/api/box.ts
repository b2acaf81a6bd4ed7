/** Boxes of voxels, as the server takes them and as it judges nodes by them. */
import { UnitRatio } from '../../base/unit-ratio.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { IdArithmetic } from '../ids/id-arithmetic.ts';
import { checkTriple, type Bounds, type GraphGrid } from './check-arguments.ts';

/** Voxels of the graph's mip, half-open, inside the volume. */
export interface Box {
  min: Vec3;
  max: Vec3;
}

/** Where nodes lie. */
export interface NodeSpace {
  grid: GraphGrid;
  ids: IdArithmetic;
  /** Graph chunks of layer 2: the first voxel of the first, and how large they are. */
  chunks: { origin: Vec3; size: Vec3 };
  /** Layer of the roots. */
  nLayers: number;
}

/**
 * Bounds cut to the volume; null where they miss it altogether.
 * @throws RangeError for no box, and where the volume itself begins below 0: the server's text form knows no negative numbers.
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
    if (min[axis] > max[axis]) throw new RangeError(`bounds: min ${min[axis]} is beyond max ${max[axis]}`);
    const from = Math.max(voxels.floor(min[axis]), grid.bounds.min[axis]),
      to = Math.min(voxels.ceil(max[axis]), grid.bounds.max[axis]);
    if (from >= to) return null;
    if (from < 0)
      throw new RangeError(
        'the server takes no negative bounds, and this volume begins below 0: leave bounds out',
      );
    box.min[axis] = from;
    box.max[axis] = to;
  }
  return box;
}

/** As the server takes it. */
export const formatBounds = (box: Box | undefined): string | undefined =>
  box?.min.map((from, axis) => `${from}-${box.max[axis]}`).join('_');

/**
 * Whether a node's graph chunk touches the box, as the server judges the nodes below the one it is asked about, but for supervoxels. The
 * root layer's only chunk is the whole volume, whatever the position in the ID. Of a layer that the graph does not describe nobody can say:
 * such nodes are taken for inside.
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
