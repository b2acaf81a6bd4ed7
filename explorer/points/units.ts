/** Says whether points lie in a volume, and which other unit would put them there. */
import type { Vec3 } from '../../lib/base/vec3.ts';

/** The finest scale of a volume: voxels in nm, and its bounds in voxels. */
export interface Grid {
  readonly resolution: Vec3;
  readonly size: Vec3;
  readonly offset: Vec3;
}

/** A unit that points can have. */
export interface Unit {
  readonly name: string;
  /** Nanometres per unit, xyz. */
  readonly resolution: Vec3;
}

export interface UnitAdvice {
  /** Points with numbers. */
  readonly points: number;
  readonly inside: number;
  /** First and last place of the volume, in the unit of the points; the last is exclusive. */
  readonly bounds: readonly [Vec3, Vec3];
  /** Units that put at least nine of ten points inside the volume, if less than half are inside now. Best first. */
  readonly fits: readonly (Unit & { readonly inside: number })[];
}

/** Units that tables of this field often have. */
const COMMON: readonly Vec3[] = [
  [4, 4, 40],
  [8, 8, 40],
  [16, 16, 40],
  [32, 32, 40],
  [4, 4, 4],
  [8, 8, 8],
  [16, 16, 16],
  [8, 8, 30],
  [16, 16, 45],
  [4.3, 4.3, 45],
  [1000, 1000, 1000],
];
/** Points that are tried in another unit. They are spread over all points. */
const TRIED = 5000;

const key = (resolution: Vec3): string => resolution.join(',');

/** Finds out how many points lie in the volume, and which units would fit better. */
export function adviseUnits(
  coordinates: Float64Array,
  unit: Vec3,
  grid: Grid,
  others: readonly Unit[],
): UnitAdvice {
  const { points, inside } = countInside(coordinates, unit, grid, 1);
  const toUnit = (voxel: Vec3): Vec3 =>
    voxel.map((v, axis) => Number(((v * grid.resolution[axis]) / unit[axis]).toFixed(3))) as unknown as Vec3;
  const end = grid.offset.map((v, axis) => v + grid.size[axis]) as unknown as Vec3;
  const bounds = [toUnit(grid.offset), toUnit(end)] as const;
  if (points === 0 || 2 * inside >= points) return { points, inside, bounds, fits: [] };
  const candidates = new Map<string, Unit>();
  for (const other of [
    ...others,
    ...COMMON.map((resolution) => ({ name: `${resolution.join(' × ')} nm`, resolution })),
  ])
    if (key(other.resolution) !== key(unit) && !candidates.has(key(other.resolution)))
      candidates.set(key(other.resolution), other);
  const step = Math.max(1, Math.floor(coordinates.length / 3 / TRIED));
  const fits = [...candidates.values()]
    .map((other) => ({ ...other, ...countInside(coordinates, other.resolution, grid, step) }))
    .filter((other) => other.inside >= 0.9 * other.points && other.points > 0)
    .sort((a, b) => b.inside - a.inside)
    .map(({ name, resolution, inside: fitting, points: tried }) => ({
      name,
      resolution,
      inside: Math.round((fitting / tried) * points),
    }));
  return { points, inside, bounds, fits };
}

function countInside(
  coordinates: Float64Array,
  unit: Vec3,
  { resolution, size, offset }: Grid,
  step: number,
): { points: number; inside: number } {
  let points = 0,
    inside = 0;
  const low = offset.map((v, axis) => (v * resolution[axis]) / unit[axis]),
    high = offset.map((v, axis) => ((v + size[axis]) * resolution[axis]) / unit[axis]);
  for (let at = 0; at < coordinates.length; at += 3 * step) {
    const x = coordinates[at],
      y = coordinates[at + 1],
      z = coordinates[at + 2];
    if (Number.isNaN(x + y + z)) continue;
    points++;
    if (x >= low[0] && x < high[0] && y >= low[1] && y < high[1] && z >= low[2] && z < high[2]) inside++;
  }
  return { points, inside };
}
